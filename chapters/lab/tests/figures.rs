//! Every kind of figure, drawn into `figures` in the folder of Cargo for tests, to be looked at.

use std::path::Path;

use lab::{Contours, Figure, HeatMap, Images, Lines, Panels, Race, Regions};
use ndarray::{Array2, array};

/// Equally spaced numbers.
fn grid(lo: f64, hi: f64, n: usize) -> Vec<f64> {
    (0..n).map(|i| lo + (hi - lo) * i as f64 / (n - 1) as f64).collect()
}

/// Numbers that look random, from 0 to 1.
fn noise(i: usize) -> f64 {
    (i as f64 * 12.9898).sin().mul_add(43_758.545, 0.0).fract().abs()
}

/// Draws a figure, and checks that it is a document that any reader can read.
fn check(name: &str, figure: &dyn Figure) {
    let svg = figure.draw().unwrap();
    assert_eq!(svg, figure.draw().unwrap(), "{name} must be the same each time");
    well_formed(name, &svg);
    let csv = figure.csv();
    // A comma between quotation marks separates nothing.
    let columns = |line: &str| line.split('"').step_by(2).map(|s| s.matches(',').count()).sum();
    let header: usize = columns(csv.lines().next().unwrap());
    assert!(csv.lines().count() > 1, "{name} has no data");
    assert!(csv.lines().all(|line| columns(line) == header), "{name}: a ragged CSV");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("figures");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(format!("{name}.svg")), svg).unwrap();
    std::fs::write(folder.join(format!("{name}.csv")), csv).unwrap();
}

/// Each tag is closed, attributes are quoted, and every coordinate is a number.
fn well_formed(name: &str, svg: &str) {
    let mut open = Vec::new();
    for tag in svg.split('<').skip(1).map(|part| part.split_once('>').unwrap().0) {
        if let Some(closed) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(closed), "{name}");
            continue;
        }
        assert_eq!(tag.matches('"').count() % 2, 0, "{name}: <{tag}>");
        let (tag_name, attributes) = tag.split_once(' ').unwrap();
        if !tag.ends_with('/') {
            open.push(tag_name);
        }
        for (key, value) in attributes
            .trim_end_matches('/')
            .split("\" ")
            .map(|attribute| attribute.trim_end_matches('"').split_once("=\"").unwrap())
        {
            assert_ne!(key, "id", "{name}: two figures on one page would share it");
            if ["d", "x", "y", "cx", "cy", "r", "points"].contains(&key) {
                let plain = |c: char| c.is_ascii_digit() || " ,.-Mhvz".contains(c);
                assert!(!value.is_empty() && value.chars().all(plain), "{name}: {key}={value}");
            }
        }
    }
    assert!(open.is_empty(), "{name}: {open:?}");
}

fn curves() -> Lines {
    let x = grid(-6.0, 6.0, 241);
    let sigmoid = |x: &f64| 1.0 / (1.0 + (-x).exp());
    Lines::new("z", "value")
        .series("sigmoid", x.clone(), x.iter().map(sigmoid))
        .dashed("sigmoid′", x.clone(), x.iter().map(|x| sigmoid(x) * (1.0 - sigmoid(x))))
        .series("tanh", x.clone(), x.iter().map(|x| x.tanh()))
        .dashed("tanh′", x.clone(), x.iter().map(|x| 1.0 - x.tanh().powi(2)))
        .series("ReLU, cut off at 2", x.clone(), x.iter().map(|x| x.max(0.0)))
        .points("data ∂L/∂ŷ", [-4.0, -2.0, 0.0, 2.0, 4.0], [-0.9, -0.5, 0.0, 0.5, 0.9])
        .y_range(-1.1, 2.0)
}

#[test]
fn lines() {
    check("curves", &curves());
    let epochs = || (1..).map(f64::from);
    let loss: Vec<f64> =
        (0..3000).map(|i| (-0.003 * i as f64).exp() + 1e-4 + 0.02 * noise(i)).collect();
    let smooth = loss.iter().map(|l| l * 0.8);
    let loss_figure = Lines::new("step", "mean loss")
        .series("training", epochs(), loss.clone())
        .series("validation", epochs(), smooth)
        .log_y()
        .vertical("stops here", 2400.0)
        .vertical("a first mark", 900.0)
        .vertical("a second mark", 960.0)
        .horizontal("target", 0.01);
    check("loss", &loss_figure);
    let m = [10.0, 100.0, 1000.0];
    let cost = Lines::new("m, number of outputs", "time (s)")
        .series("Jacobian", m, [1.2e-6, 9.8e-5, 1.1e-2])
        .points("Jacobian, measured", m, [1.1e-6, 9.9e-5, 1.0e-2])
        .series("vector–Jacobian product", m, [2.2e-7, 1.1e-6, 9.7e-6])
        .log_x()
        .log_y();
    check("cost", &cost);
    check("one_point", &Lines::new("x", "y").points("", [1.0], [5.0]));
    let large =
        Lines::new("step", "squared distance").series("", grid(0.0, 2e6, 9), grid(0.0, 3e-5, 9));
    check("large", &large);
}

#[test]
fn panels() {
    let x = grid(-4.0, 4.0, 161);
    let panel =
        |f: fn(f64) -> f64, d: fn(f64) -> f64| {
            Lines::new("z", "value")
                .series("activation", x.clone(), x.iter().map(|&x| f(x)))
                .dashed("derivative", x.clone(), x.iter().map(|&x| d(x)))
        };
    let panels = Panels::new(3)
        .panel("ReLU", panel(|x| x.max(0.0), |x| f64::from(u8::from(x > 0.0))))
        .panel("tanh", panel(f64::tanh, |x| 1.0 - x.tanh().powi(2)))
        .panel("softplus", panel(|x| x.exp().ln_1p(), |x| 1.0 / (1.0 + (-x).exp())))
        .panel("identity", panel(|x| x, |_| 1.0))
        .panel("square", panel(|x| x * x, |x| 2.0 * x));
    check("panels3", &panels);
    check(
        "panels2",
        &Panels::new(2)
            .panel("above & below", curves())
            .panel("loss", curves().vertical("here", 1.5)),
    );
}

#[test]
fn heat_maps() {
    let jacobian = array![[0.08, -0.02, -0.06], [-0.02, 0.18, -0.16], [-0.06, -0.16, 0.22]];
    let map = HeatMap::new("j, input", "i, output", &jacobian).annotate(3).diverging();
    check("jacobian", &map);
    let counts = Array2::from_shape_fn((10, 10), |(i, j)| {
        if i == j { 950.0 + i as f64 } else { (12.0 * noise(10 * i + j)).floor() }
    });
    check("confusion", &HeatMap::new("predicted digit", "true digit", &counts).annotate(0));
    let weights = Array2::from_shape_fn((40, 64), |(i, j)| noise(64 * i + j) - 0.5);
    check("weights", &HeatMap::new("input", "output", &weights).diverging());
    let names = ["mean squared error", "binary cross-entropy", "categorical cross-entropy"];
    let table = array![[1e-8, 0.0, 0.0], [2e-8, 3e-8, 9e-9]];
    let named = HeatMap::new("loss", "activation", &table).labels(["tanh", "softmax"], names);
    check("named", &named);
}

#[test]
fn contours() {
    let bowl = |x: f64, y: f64| 0.5 * (x * x + 10.0 * y * y);
    let path = |rate: f64| {
        let step = |&(x, y): &(f64, f64)| Some((x - rate * x, y - rate * 10.0 * y));
        std::iter::successors(Some((-2.5, 1.5)), step).take(40).collect::<Vec<_>>()
    };
    let levels = [0.1, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0];
    let figure = Contours::new("w₁", "w₂", (-3.0, 3.0), (-2.0, 2.0), bowl, &levels)
        .path("learning rate 0.05", &path(0.05))
        .path("learning rate 0.18", &path(0.18))
        .path("learning rate 0.202", &path(0.202))
        .mark("minimum", 0.0, 0.0);
    check("contours", &figure);
    let square =
        Contours::new("w₁", "w₂", (-2.0, 2.0), (-2.0, 2.0), |x, y| x * y, &[-1.0, 0.0, 1.0])
            .mark("saddle", 0.0, 0.0)
            .mark("corner", 1.9, -1.8);
    check("saddle", &square);
}

#[test]
fn races() {
    let bowl = |x: f64, y: f64| 0.5 * (x * x + 10.0 * y * y);
    let path = |rate: f64| {
        let step = |&(x, y): &(f64, f64)| Some((x - rate * x, y - rate * 10.0 * y));
        std::iter::successors(Some((-2.5, 1.5)), step).take(60).collect::<Vec<_>>()
    };
    let figure =
        Contours::new("w₁", "w₂", (-3.0, 3.0), (-2.0, 2.0), bowl, &[0.5, 2.0, 4.0, 8.0, 16.0])
            .path("learning rate 0.05", &path(0.05))
            .path("learning rate 0.18", &path(0.18))
            .mark("minimum", 0.0, 0.0);
    check("race", &Race::new("race", figure, 6.0, 10));
}

#[test]
fn regions() {
    let (x_range, y_range) = ((-1.5, 2.5), (-1.2, 1.7));
    let points = Regions::points(x_range, y_range, (120, 160));
    let p = |x: f64, y: f64| 1.0 / (1.0 + (6.0 * (y - (3.0 * x).sin() * 0.7)).exp());
    let probabilities = Array2::from_shape_fn((120, 160), |(i, j)| {
        let k = 160 * i + j;
        p(points[[k, 0]], points[[k, 1]])
    });
    let moon = |offset: usize, class: bool| {
        let sample = |i: usize| {
            let (x, y) = (4.0 * noise(2 * i + offset) - 1.5, 2.9 * noise(3 * i + offset + 7) - 1.2);
            (x, y, (p(x, y) > 0.5) == class)
        };
        (0..200).map(sample).filter(|s| s.2).map(|(x, y, _)| (x, y)).collect::<Vec<_>>()
    };
    let figure = Regions::new("x₁", "x₂", x_range, y_range, &probabilities)
        .scatter("upper moon", &moon(1, false))
        .scatter("lower moon", &moon(500, true));
    check("moons", &figure);
    let range = (-1.0, 1.0);
    let classes = Array2::from_shape_fn((200, 200), |(i, j)| {
        let (x, y) = (j as f64 / 100.0 - 1.0, i as f64 / 100.0 - 1.0);
        ((y.atan2(x) / std::f64::consts::TAU + 1.0 + x.hypot(y)).fract() * 3.0).floor()
    });
    let figure = Regions::new("x₁", "x₂", range, range, &classes)
        .scatter("arm 0", &[(0.3, 0.3), (0.1, 0.2)])
        .scatter("arm 1", &[(-0.3, 0.3), (-0.1, 0.2)])
        .scatter("arm 2", &[(-0.3, -0.3), (0.1, -0.2)]);
    check("spirals", &figure);
}

#[test]
fn images() {
    let digit = |k: usize| -> Vec<u8> {
        let pixel = |i: usize| {
            let (y, x) = ((i / 28) as f64 - 13.5, (i % 28) as f64 - 13.5);
            let ring = (x.hypot(y) - 4.0 - k as f64 * 0.5).abs();
            (255.0 * (1.8 - ring * 0.8).clamp(0.0, 1.0)) as u8
        };
        (0..784).map(pixel).collect()
    };
    let images = (0..11).fold(Images::new(6), |images, k| {
        let title = if k % 4 == 3 { format!("{k} → 5") } else { k.to_string() };
        images.image(&digit(k), &title, k % 4 == 3)
    });
    check("digits", &images);
    let error = Images::new(1).image(&[0, 1, 2], "a", false).draw().unwrap_err().to_string();
    assert_eq!(error, "the image \"a\" has 3 pixels, which are no square");
}

#[test]
fn csv_holds_the_data_to_the_last_digit() {
    let lines = Lines::new("x", "y").series("a, \"b\"", [0.1 + 0.2], [1e300]).vertical("v", 2.0);
    assert_eq!(lines.csv(), "series,x,y\n\"a, \"\"b\"\"\",0.30000000000000004,1e300\nv,2.0,\n");
    let map = HeatMap::new("x", "y", &array![[1.0 / 3.0, -0.0]]).labels(["r"], ["c", "d"]);
    assert_eq!(map.csv(), "row,column,value\nr,c,0.3333333333333333\nr,d,-0.0\n");
    let images = Images::new(1).image(&[0, 255, 7, 1], "3 → 5", true);
    assert_eq!(images.csv(), "title,pixel0,pixel1,pixel2,pixel3\n3 → 5,0,255,7,1\n");
    let panels = Panels::new(1).panel("p", Lines::new("x", "y").points("s", [1.0], [2.0]));
    assert_eq!(panels.csv(), "panel,series,x,y\np,s,1.0,2.0\n");
}

#[test]
fn what_cannot_be_drawn_is_named() {
    let error = |figure: &dyn Figure| figure.draw().unwrap_err().to_string();
    let lines = || Lines::new("x", "y");
    assert_eq!(
        error(&lines().series("loss", [0.0, 1.0], [1.0, f64::NAN])),
        "point 1 of \"loss\" is (1, NaN), which cannot be drawn"
    );
    assert_eq!(
        error(&lines().series("loss", [0.0, 1.0], [1.0, 0.0]).log_y()),
        "point 1 of \"loss\" is (1, 0), and has no place on a logarithmic axis"
    );
    assert_eq!(
        error(&lines().series("loss", [0.0, 1.0], [1.0])),
        "\"loss\" does not have one y for each x"
    );
    assert_eq!(error(&lines()), "there is nothing to draw along \"x\"");
    let panels = Panels::new(2).panel("left", lines().points("p", [f64::INFINITY], [0.0]));
    assert!(error(&panels).starts_with("panel \"left\": point 0 of \"p\""));
    assert_eq!(
        error(&HeatMap::new("x", "y", &array![[0.0], [f64::NAN]])),
        "row 1, column 0 is NaN, which cannot be drawn"
    );
}
