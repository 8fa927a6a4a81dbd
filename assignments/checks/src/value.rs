//! What a student's function may return, taken apart for comparison.

use ndarray::{Array, Dimension};

use crate::show;

/// One entry of a value.
#[derive(Debug, Clone, PartialEq)]
pub enum Entry {
    /// Compared within a tolerance.
    Number(f64),
    /// Compared as it is written.
    Exact(String),
}

/// Something that can be compared entry by entry, and shown.
pub trait Value {
    /// The shape, as it is compared and shown: `(3, 4)`; empty for a single number.
    fn shape(&self) -> String;

    /// All entries, each with the place where it stands: `[1, 2]`; empty for a single number.
    fn entries(&self) -> Vec<(String, Entry)>;

    /// How it looks, on as many lines as it needs.
    fn show(&self) -> String;
}

impl Value for f64 {
    fn shape(&self) -> String {
        String::new()
    }

    fn entries(&self) -> Vec<(String, Entry)> {
        vec![(String::new(), Entry::Number(*self))]
    }

    fn show(&self) -> String {
        show::number(*self)
    }
}

/// Values that are either the same or not.
macro_rules! exact {
    ($($type:ty),*) => { $(
        impl Value for $type {
            fn shape(&self) -> String {
                String::new()
            }

            fn entries(&self) -> Vec<(String, Entry)> {
                vec![(String::new(), Entry::Exact(format!("{self:?}")))]
            }

            fn show(&self) -> String {
                format!("{self:?}")
            }
        }
    )* };
}

exact!(bool, u8, i32, u32, u64, usize, String, &str);

impl<T: Value, D: Dimension> Value for Array<T, D> {
    fn shape(&self) -> String {
        match self.shape() {
            [one] => format!("({one})"),
            several => format!("{several:?}").replace('[', "(").replace(']', ")"),
        }
    }

    fn entries(&self) -> Vec<(String, Entry)> {
        let mut all = Vec::new();
        let view = self.view().into_dyn();
        for (index, entry) in view.indexed_iter() {
            let here = format!("{:?}", index.slice());
            all.extend(entry.entries().into_iter().map(|(inner, e)| (here.clone() + &inner, e)));
        }
        all
    }

    fn show(&self) -> String {
        show::array(self.view().into_dyn(), &T::show)
    }
}

impl<T: Value> Value for Vec<T> {
    fn shape(&self) -> String {
        let inner: Vec<String> = self.iter().map(T::shape).collect();
        match inner.iter().find(|shape| !shape.is_empty()) {
            Some(_) => format!("{} arrays: {}", self.len(), inner.join(", ")),
            None => format!("({})", self.len()),
        }
    }

    fn entries(&self) -> Vec<(String, Entry)> {
        let mut all = Vec::new();
        for (i, value) in self.iter().enumerate() {
            all.extend(value.entries().into_iter().map(|(inner, e)| (format!("[{i}]{inner}"), e)));
        }
        all
    }

    fn show(&self) -> String {
        let shown: Vec<String> = self.iter().map(T::show).collect();
        let single = self.iter().all(|value| value.shape().is_empty());
        show::list(&shown, if single { "  " } else { "\n\n" })
    }
}

impl<A: Value, B: Value> Value for (A, B) {
    fn shape(&self) -> String {
        join(&[self.0.shape(), self.1.shape()])
    }

    fn entries(&self) -> Vec<(String, Entry)> {
        [named("first", &self.0), named("second", &self.1)].concat()
    }

    fn show(&self) -> String {
        show::several(&[self.0.show(), self.1.show()])
    }
}

impl<A: Value, B: Value, C: Value> Value for (A, B, C) {
    fn shape(&self) -> String {
        join(&[self.0.shape(), self.1.shape(), self.2.shape()])
    }

    fn entries(&self) -> Vec<(String, Entry)> {
        [named("first", &self.0), named("second", &self.1), named("third", &self.2)].concat()
    }

    fn show(&self) -> String {
        show::several(&[self.0.show(), self.1.show(), self.2.show()])
    }
}

impl<T: Value> Value for Option<T> {
    fn shape(&self) -> String {
        self.as_ref().map_or("None".to_owned(), T::shape)
    }

    fn entries(&self) -> Vec<(String, Entry)> {
        self.as_ref().map_or(Vec::new(), T::entries)
    }

    fn show(&self) -> String {
        self.as_ref().map_or("None".to_owned(), |value| format!("Some: {}", value.show()))
    }
}

/// The entries of one part of a tuple.
fn named(part: &str, value: &impl Value) -> Vec<(String, Entry)> {
    let place = |inner: String| format!("{part} {inner}").trim_end().to_owned();
    value.entries().into_iter().map(|(inner, entry)| (place(inner), entry)).collect()
}

/// The shapes of a tuple, where there are any.
fn join(shapes: &[String]) -> String {
    if shapes.iter().all(String::is_empty) { String::new() } else { shapes.join(" and ") }
}
