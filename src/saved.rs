//! Networks in files: everything that a network is, and nothing beside it.

use std::collections::BTreeMap;
use std::path::Path;

use ndarray::{Array1, ArrayD, Axis};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::{Error, Result};
use crate::file_problem::FileProblem;
use crate::float::Float;
use crate::layout::Layout;
use crate::network::NeuralNetwork;
use crate::npy;
use crate::persist::{self, Document, PartRecord};
use crate::registry::Registry;
use crate::target::check_finite;
use crate::training::Training;

// ANCHOR: Description
/// What a file says of a network, beside its arrays.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Description {
    model: String,
    sizes: Vec<usize>,
    composed: bool,
    hidden: PartRecord,
    output: PartRecord,
    loss: PartRecord,
    optimizer: PartRecord,
    training: Option<Training>,
}
// ANCHOR_END: Description

/// What [`Description::model`] says of the network of part I.
const MODEL: &str = "neural_network";

impl<F: Float> NeuralNetwork<F> {
    /// The whole network as a document: parts with their states, parameters,
    /// training.
    ///
    /// # Errors
    /// If a parameter, or a number in a part's state, is not finite.
    pub fn to_document(&self) -> Result<Document<F>> {
        check_finite(
            "the parameters, as one row,",
            &self.params.view().insert_axis(Axis(0)),
        )?;
        let mut tensors = BTreeMap::new();
        for i in 0..self.layout.layers() {
            tensors.insert(
                format!("weights.{i}"),
                self.weights(i).to_owned().into_dyn(),
            );
            tensors.insert(
                format!("biases.{i}"),
                self.biases(i).to_owned().into_dyn(),
            );
        }
        let description = Description {
            model: MODEL.to_owned(),
            sizes: self.sizes().to_vec(),
            composed: self.composed,
            hidden: PartRecord::of("hidden", &*self.hidden, &mut tensors)?,
            output: PartRecord::of("output", &*self.output, &mut tensors)?,
            loss: PartRecord::of("loss", &*self.loss, &mut tensors)?,
            optimizer: PartRecord::of(
                "optimizer",
                &*self.optimizer,
                &mut tensors,
            )?,
            training: self.training.clone(),
        };
        let description =
            serde_json::to_value(description).unwrap_or(Value::Null);
        Ok(Document { description, tensors })
    }

    /// The network in a document.
    ///
    /// # Errors
    /// If something is missing, left over, out of range, or not known to the
    /// registry.
    pub fn from_document(
        document: Document<F>,
        registry: &Registry<F>,
    ) -> Result<Self> {
        let path = Path::new("the document");
        Self::from_parts(document, registry, path)
    }

    /// Saves the whole network, atomically, as a safetensors file.
    ///
    /// # Errors
    /// As for [`to_document`](Self::to_document), and if the file cannot be
    /// written. An old file is then still there.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        self.to_document()?.save(path)
    }

    /// Loads a network that is made of built-in parts.
    ///
    /// # Errors
    /// If the file cannot be read, is damaged, or does not hold such a network.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        Self::load_with(path, &Registry::default())
    }

    /// Loads a network that is made of the parts in a registry.
    ///
    /// # Errors
    /// If the file cannot be read, is damaged, or does not hold such a network.
    pub fn load_with(
        path: impl AsRef<Path>,
        registry: &Registry<F>,
    ) -> Result<Self> {
        let path = path.as_ref();
        Self::from_parts(Document::load(path)?, registry, path)
    }

    fn from_parts(
        document: Document<F>,
        registry: &Registry<F>,
        path: &Path,
    ) -> Result<Self> {
        let bad = |problem| Error::File { path: path.to_owned(), problem };
        let metadata = |reason: String| bad(FileProblem::Metadata { reason });
        let Document { description, mut tensors } = document;
        let description: Description =
            persist::describe(description, MODEL).map_err(bad)?;
        let unusable =
            |e: Error| bad(FileProblem::Unusable { reason: e.to_string() });
        let layout = Layout::new(&description.sizes).map_err(unusable)?;
        let Description {
            hidden,
            output,
            loss,
            optimizer,
            training,
            composed,
            ..
        } = description;
        let params = take_params(&layout, &mut tensors).map_err(bad)?;
        let states = [
            ("hidden", &hidden),
            ("output", &output),
            ("loss", &loss),
            ("optimizer", &optimizer),
        ]
        .map(|(role, record)| record.state(role, &mut tensors));
        if let Some(name) = tensors.into_keys().next() {
            return Err(metadata(format!(
                "the tensor {name:?} belongs to nothing"
            )));
        }
        if let Some(training) = &training {
            training.check().map_err(unusable)?;
        }
        let [hidden_state, output_state, loss_state, optimizer_state] = states;
        let mut network = Self {
            hidden: registry.activation(&hidden.name, hidden_state)?,
            output: registry.output(&output.name, output_state)?,
            loss: registry.loss(&loss.name, loss_state)?,
            optimizer: registry.optimizer(&optimizer.name, optimizer_state)?,
            params: Array1::zeros(params.len()),
            layout,
            composed,
            training,
        };
        network.optimizer.prepare(params.len()).map_err(unusable)?;
        network.set_params(&params).map_err(unusable)?;
        Ok(network)
    }

    /// Saves the parameters alone, as one NumPy vector: all weights, then all
    /// biases.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn save_params(&self, path: impl AsRef<Path>) -> Result<()> {
        npy::save_npy(path.as_ref(), &self.params)
    }

    /// Replaces the parameters by those in a NumPy file, in either precision.
    ///
    /// # Errors
    /// If the file cannot be read, or does not hold one finite number for each
    /// parameter.
    pub fn load_params(&mut self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let bad = |problem| Error::File { path: path.to_owned(), problem };
        let params = npy::load_npy(path)?;
        if params.len() != self.params.len() {
            let (expected, found) = (self.params.len(), params.len());
            return Err(bad(FileProblem::ParameterCount { expected, found }));
        }
        self.set_params(&params)
            .map_err(|e| bad(FileProblem::Unusable { reason: e.to_string() }))
    }
}

/// Takes the weights and biases of all layers out of the tensors, as one
/// vector.
fn take_params<F: Float>(
    layout: &Layout,
    tensors: &mut BTreeMap<String, ArrayD<F>>,
) -> Result<Array1<F>, FileProblem> {
    let mut take =
        |name, expected: &[usize]| persist::take(tensors, name, expected);
    let (mut weights, mut biases) = (Vec::new(), Vec::new());
    for (i, size) in layout.sizes().windows(2).enumerate() {
        weights.extend(take(format!("weights.{i}"), size)?);
        biases.extend(take(format!("biases.{i}"), &size[1..])?);
    }
    weights.append(&mut biases);
    Ok(Array1::from(weights))
}
