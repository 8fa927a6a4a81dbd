//! Networks of layers in files.

use std::collections::BTreeMap;
use std::path::Path;

use ndarray::{Array1, ArrayD, Axis};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::{Error, Result};
use crate::file_problem::FileProblem;
use crate::float::Float;
use crate::layer::{Layer, Shape};
use crate::persist::{self, Document, PartRecord};
use crate::registry::Registry;
use crate::sequential::{self, Sequential};
use crate::target::check_finite;
use crate::training::Training;

// ANCHOR: SequentialDescription
/// What a file says of a network of layers, beside its arrays.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Description {
    model: String,
    input: Shape,
    layers: Vec<PartRecord>,
    loss: PartRecord,
    optimizer: PartRecord,
    seed: u64,
    steps: u64,
    training: Option<Training>,
}
// ANCHOR_END: SequentialDescription

/// What [`Description::model`] says of the network of part II.
const MODEL: &str = "sequential";

impl<F: Float> Sequential<F> {
    /// The whole network as a document: layers with their parameters and what
    /// they have measured, the loss, the optimizer, the training.
    ///
    /// # Errors
    /// If a parameter, or a number in a part's state, is not finite.
    pub fn to_document(&self) -> Result<Document<F>> {
        let row = self.params.view().insert_axis(Axis(0));
        check_finite("the parameters, as one row,", &row)?;
        let mut tensors = BTreeMap::new();
        let mut layers = Vec::new();
        for (i, layer) in self.layers.iter().enumerate() {
            layers.push(PartRecord::of(&state(i), layer, &mut tensors)?);
            let mut rest = self.layer_params(i);
            for (name, shape) in layer.parameters() {
                let (tensor, after) =
                    rest.split_at(Axis(0), shape.iter().product());
                let tensor = tensor.to_owned().into_shape_with_order(shape);
                let tensor = tensor.expect("a plan of the layer's own shapes");
                tensors.insert(format!("layers.{i}.{name}"), tensor);
                rest = after;
            }
        }
        let description = Description {
            model: MODEL.to_owned(),
            input: self.input,
            layers,
            loss: PartRecord::of("loss", &*self.loss, &mut tensors)?,
            optimizer: PartRecord::of(
                "optimizer",
                &*self.optimizer,
                &mut tensors,
            )?,
            seed: self.seed,
            steps: self.steps,
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
        let unusable =
            |e: Error| bad(FileProblem::Unusable { reason: e.to_string() });
        let Document { description, mut tensors } = document;
        let description: Description =
            persist::describe(description, MODEL).map_err(bad)?;
        if let Some(training) = &description.training {
            training.check().map_err(unusable)?;
        }
        let mut part =
            |role: &str, record: &PartRecord| record.state(role, &mut tensors);
        let layers = description.layers.iter().enumerate();
        let mut layers: Vec<_> = layers
            .map(|(i, layer)| {
                registry.layer(&layer.name, part(&state(i), layer))
            })
            .collect::<Result<_>>()?;
        let loss = &description.loss;
        let loss = registry.loss(&loss.name, part("loss", loss))?;
        let optimizer = &description.optimizer;
        let optimizer = registry
            .optimizer(&optimizer.name, part("optimizer", optimizer))?;
        let Description { input, seed, steps, training, .. } = description;
        let plan = sequential::plan(input, &mut layers).map_err(unusable)?;
        let params = take_params(&layers, &mut tensors).map_err(bad)?;
        if let Some(name) = tensors.into_keys().next() {
            return Err(metadata(format!(
                "the tensor {name:?} belongs to nothing"
            )));
        }
        let mut network = Self {
            input,
            layers,
            plan,
            params: Array1::zeros(params.len()),
            loss,
            optimizer,
            seed,
            steps,
            training,
        };
        network.optimizer.prepare(params.len()).map_err(unusable)?;
        network.set_params(&params).map_err(unusable)?;
        Ok(network)
    }
}

/// Takes the parameters of all layers out of the tensors, as one vector.
fn take_params<F: Float>(
    layers: &[Box<dyn Layer<F>>],
    tensors: &mut BTreeMap<String, ArrayD<F>>,
) -> Result<Array1<F>, FileProblem> {
    let mut params = Vec::new();
    for (i, layer) in layers.iter().enumerate() {
        for (name, expected) in layer.parameters() {
            let name = format!("layers.{i}.{name}");
            params.extend(persist::take(tensors, name, &expected)?);
        }
    }
    Ok(Array1::from(params))
}

/// What the tensors of a layer's state are called, beside its parameters.
fn state(i: usize) -> String {
    format!("layers.{i}.state")
}
