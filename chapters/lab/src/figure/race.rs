//! Paths that are walked at the same time.

use std::fmt::Write as _;

use super::contours::Contours;
use super::frame::Frame;
use super::geometry::Point;
use super::{csv, number};
use crate::{Figure, Result, colour};

/// Units of a drawing to a pixel, as the canvas has them.
const UNITS: f64 = 10.0;

/// Which share of the time the paths take; for the rest their ends are seen.
const MOVING: f64 = 0.85;

/// Level lines with paths that are walked at the same time, again and again.
///
/// On paper, and for readers who prefer less motion, the whole paths are seen, with a dot
/// after every so many steps. The animation waits while the pointer is on the figure.
#[derive(Debug, Clone)]
pub struct Race {
    name: String,
    contours: Contours,
    seconds: f64,
    every: usize,
}

impl Race {
    /// The paths of `contours`, walked in this many seconds; where nothing moves, with a dot
    /// after every so many steps. All must stay inside. The name is part of the names of
    /// styles: no two figures on a page may share it.
    pub fn new(name: &str, contours: Contours, seconds: f64, every: usize) -> Self {
        Self { name: name.into(), contours, seconds, every: every.max(1) }
    }

    fn check(&self) -> Result<()> {
        let plain = |c: char| c.is_ascii_lowercase() || c == '-';
        if self.name.is_empty() || !self.name.chars().all(plain) {
            let name = &self.name;
            return Err(format!("{name:?} is no name for a style: lower-case letters").into());
        }
        if !(self.seconds > 0.0 && self.seconds.is_finite()) {
            let seconds = self.seconds;
            return Err(format!("a race takes more than 0 seconds, and not {seconds}").into());
        }
        for (path, points) in self.contours.paths() {
            if points.len() < 2 {
                return Err(format!("the path of {path:?} has no step").into());
            }
            if let Some(i) = points.iter().position(|&point| !self.contours.holds(point)) {
                let (x, y) = points[i];
                return Err(format!("point {i} of {path:?}, ({x}, {y}), lies outside").into());
            }
        }
        Ok(())
    }

    /// How the drawing moves, for screens on which it may.
    fn style(&self, frame: &Frame) -> String {
        let Self { name, seconds, .. } = self;
        let all = (0..self.contours.paths().len())
            .map(|k| format!(".{name}-{k}{{animation-name:{name}-{k}}}\n"))
            .chain((0..self.contours.paths().len()).map(|k| {
                format!(".{name}-t{k}{{animation-name:{name}-t{k};stroke-dasharray:1 1}}\n")
            }))
            .collect::<String>();
        let mut style = format!(
            "<style type=\"text/css\">\n\
             @media screen and (prefers-reduced-motion:no-preference){{\n\
             .{name}{{animation:{seconds}s linear infinite}}\n\
             .{name}-still{{display:none}}\n\
             svg:hover .{name}{{animation-play-state:paused}}\n\
             {all}}}\n",
        );
        for (k, (_, points)) in self.contours.paths().iter().enumerate() {
            let points: Vec<Point> = points.iter().map(|&point| units(frame.at(point))).collect();
            let (end, along) = (points[points.len() - 1], along(&points));
            // A browser that may leave the dots to its compositor lets them run ahead of their
            // paths when the machine is busy. One property that it may not leave to it is enough.
            let mut also = ";stroke-dashoffset:0";
            let _ = write!(style, "@keyframes {name}-{k}{{");
            for (at, (x, y)) in times(points.len()).zip(&points) {
                let (x, y) = (x - end.0, y - end.1);
                let _ = write!(style, "{at}%{{transform:translate({x}px,{y}px){also}}}");
                also = "";
            }
            let _ = write!(style, "100%{{transform:none}}}}\n@keyframes {name}-t{k}{{");
            for (at, along) in times(points.len()).zip(along) {
                let left = (1e4 * (1.0 - along)).round() / 1e4;
                let _ = write!(style, "{at}%{{stroke-dashoffset:{left}}}");
            }
            let _ = writeln!(style, "100%{{stroke-dashoffset:0}}}}");
        }
        style + "</style>\n"
    }

    /// The paths and their dots, as they are seen where nothing moves.
    fn paths(&self, frame: &Frame) -> String {
        let (name, mut paths) = (&self.name, String::new());
        for (k, (_, points)) in self.contours.paths().iter().enumerate() {
            let colour = colour::series(k);
            let colour = format!("#{:02X}{:02X}{:02X}", colour.0, colour.1, colour.2);
            let points: Vec<Point> = points.iter().map(|&point| units(frame.at(point))).collect();
            let course: Vec<String> = points.iter().map(|(x, y)| format!("{x},{y}")).collect();
            let _ = writeln!(
                paths,
                "<path class=\"{name} {name}-t{k}\" fill=\"none\" stroke=\"{colour}\" \
                 stroke-width=\"20\" pathLength=\"1\" d=\"M{}\"/>",
                course.join(" ")
            );
            for (x, y) in points.iter().step_by(self.every) {
                let _ = writeln!(
                    paths,
                    "<circle class=\"{name}-still\" cx=\"{x}\" cy=\"{y}\" r=\"28\" fill=\"{colour}\"/>"
                );
            }
            let (x, y) = points[points.len() - 1];
            let _ = writeln!(
                paths,
                "<circle class=\"{name} {name}-{k}\" cx=\"{x}\" cy=\"{y}\" r=\"60\" fill=\"{colour}\"/>"
            );
        }
        paths
    }
}

/// A point of the drawing in its own whole units.
fn units((x, y): Point) -> Point {
    ((UNITS * x).round(), (UNITS * y).round())
}

/// When each of the points is reached, in per cent of the whole time.
fn times(points: usize) -> impl Iterator<Item = f64> {
    let share = move |i: usize| MOVING * i as f64 / (points - 1) as f64;
    (0..points).map(move |i| (1e5 * share(i)).round() / 1e3)
}

/// Which share of its path each point has behind it.
fn along(points: &[Point]) -> Vec<f64> {
    let mut walked = vec![0.0];
    for pair in points.windows(2) {
        let step = (pair[1].0 - pair[0].0).hypot(pair[1].1 - pair[0].1);
        walked.push(walked[walked.len() - 1] + step);
    }
    let all = walked[walked.len() - 1].max(f64::MIN_POSITIVE);
    walked.into_iter().map(|far| far / all).collect()
}

impl Figure for Race {
    fn draw(&self) -> Result<String> {
        self.contours.check()?;
        self.check()?;
        let (still, frame) = self.contours.draw_without_paths()?;
        let Some(above) = still.strip_suffix("</svg>\n") else {
            return Err("the drawing below the race has no end".into());
        };
        Ok(format!("{above}{}{}</svg>\n", self.style(&frame), self.paths(&frame)))
    }

    fn csv(&self) -> String {
        let paths = self.contours.paths().iter().flat_map(|(name, points)| {
            points.iter().enumerate().map(|(step, (x, y))| {
                vec!["path".into(), name.clone(), step.to_string(), number(*x), number(*y)]
            })
        });
        let rows = self.contours.rows(false).chain(paths);
        csv(&["kind", "name", "piece or step", "x", "y"], rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn race(end: f64, every: usize) -> Race {
        let range = (-1.0, 1.0);
        let contours = Contours::new("x", "y", range, range, |x, y| x * x + y * y, &[0.5])
            .path("slow", &[(-0.5, 0.5), (-0.4, 0.4), (-0.3, 0.3)])
            .path("fast", &[(-0.5, 0.5), (0.0, 0.5), (end, 0.5)]);
        Race::new("two", contours, 4.0, every)
    }

    #[test]
    fn where_nothing_moves_the_whole_paths_are_seen() {
        let svg = race(0.5, 1).draw().unwrap();
        let (before, after) = svg.split_once("<style").unwrap();
        let (style, paths) = after.split_once("</style>").unwrap();
        assert!(!before.contains("class="));
        assert_eq!(paths.matches("<path ").count(), 2);
        assert_eq!(paths.matches("<circle class=\"two-still\"").count(), 6);
        // Outside of the one rule for screens that may move, nothing is set in motion.
        let (screens, keyframes) = style.split_once("\n}\n").unwrap();
        assert!(screens.contains("@media screen and (prefers-reduced-motion:no-preference){"));
        assert!(keyframes.lines().all(|line| line.starts_with("@keyframes two-")), "{keyframes}");
        assert!(!paths.contains("animation") && !paths.contains("dasharray"));
    }

    #[test]
    fn all_walk_at_the_same_time_and_end_where_they_are_drawn() {
        let svg = race(0.5, 1).draw().unwrap();
        let middle: Vec<&str> = svg.lines().filter(|line| line.contains("42.5%{")).collect();
        assert_eq!(middle.len(), 4);
        assert_eq!(svg.matches("85%{transform:translate(0px,0px)}100%{transform:none}").count(), 2);
        // Half of the steps are half of either path.
        assert_eq!(svg.matches("42.5%{stroke-dashoffset:0.5}").count(), 2);
    }

    #[test]
    fn what_leaves_the_frame_is_named() {
        let error = race(1.5, 1).draw().unwrap_err().to_string();
        assert_eq!(error, "point 2 of \"fast\", (1.5, 0.5), lies outside");
        let mut race = race(0.5, 1);
        race.name = "no name".into();
        assert!(race.draw().unwrap_err().to_string().contains("no name for a style"));
    }
}
