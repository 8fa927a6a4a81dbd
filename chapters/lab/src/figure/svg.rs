//! What plotters writes, made smaller and sharper.

use std::fmt::Write as _;

/// Cleans up a document of plotters' SVG backend, which has one tag to a line.
///
/// plotters draws in whole pixels. The canvas therefore draws everything `scale` times as
/// large, and the document is told here to be shown at its true size. Neighbours that look
/// alike become one path: thousands of small rectangles take much less space so, and leave no
/// seams between them.
pub fn tidy(document: &str, (width, height): (u32, u32), scale: u32) -> String {
    let (w, h) = (width * scale, height * scale);
    let mut tidy = format!(
        "<svg width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {w} {h}\" \
         stroke-linejoin=\"round\" stroke-linecap=\"round\" \
         xmlns=\"http://www.w3.org/2000/svg\">\n"
    );
    let mut pending: Option<Path> = None;
    for line in document.lines().skip(1) {
        match (Path::read(line), &mut pending) {
            (Some(path), Some(last)) if last.look == path.look => last.course += &path.course,
            (Some(path), last) => {
                if let Some(last) = last.replace(path) {
                    last.write(&mut tidy);
                }
            }
            (None, last) => {
                if let Some(last) = last.take() {
                    last.write(&mut tidy);
                }
                tidy.push_str(&line.replace(" opacity=\"1\"", "").replace(" stroke=\"none\"", ""));
                tidy.push('\n');
            }
        }
    }
    tidy
}

/// A shape as its look and its course.
struct Path {
    look: String,
    course: String,
}

impl Path {
    /// Reads a `rect` or a `polyline`; anything else is left as it is.
    fn read(line: &str) -> Option<Self> {
        let (tag, attributes) = line.strip_prefix('<')?.split_once(' ')?;
        let geometry: &[&str] = match tag {
            "rect" => &["x", "y", "width", "height"],
            "polyline" => &["points"],
            _ => return None,
        };
        let mut look = String::new();
        let mut values = vec![""; geometry.len()];
        let mut rest = attributes;
        while let Some((key, after)) = rest.split_once("=\"") {
            let (value, after) = after.split_once('"')?;
            rest = after.trim_start();
            if let Some(index) = geometry.iter().position(|name| *name == key) {
                values[index] = value;
            } else if !matches!((key, value), ("opacity", "1") | ("stroke", "none")) {
                let _ = write!(look, " {key}=\"{value}\"");
            }
        }
        let course = match values[..] {
            [x, y, w, h] => format!("M{x} {y}h{w}v{h}h-{w}z"),
            _ => format!("M{}", values[0].trim_end()),
        };
        if tag == "rect" {
            look.push_str(" shape-rendering=\"crispEdges\"");
        }
        Some(Self { look, course })
    }

    fn write(self, document: &mut String) {
        let _ = writeln!(document, "<path{} d=\"{}\"/>", self.look, self.course);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alike_neighbours_become_one_path() {
        let document = r##"<svg width="20" height="10" viewBox="0 0 20 10" xmlns="x">
<rect x="1" y="2" width="3" height="4" opacity="1" fill="#123456" stroke="none"/>
<rect x="5" y="6" width="7" height="8" opacity="1" fill="#123456" stroke="none"/>
<polyline fill="none" opacity="0.5" stroke="#000000" stroke-width="1" points="1,2 3,4 "/>
<text x="1" y="2" opacity="1" fill="#7C7C7C">
a opacity= b
</text>
</svg>
"##;
        let expected = r##"<svg width="2" height="1" viewBox="0 0 20 10" stroke-linejoin="round" stroke-linecap="round" xmlns="http://www.w3.org/2000/svg">
<path fill="#123456" shape-rendering="crispEdges" d="M1 2h3v4h-3zM5 6h7v8h-7z"/>
<path fill="none" opacity="0.5" stroke="#000000" stroke-width="1" d="M1,2 3,4"/>
<text x="1" y="2" fill="#7C7C7C">
a opacity= b
</text>
</svg>
"##;
        assert_eq!(tidy(document, (2, 1), 10), expected);
    }
}
