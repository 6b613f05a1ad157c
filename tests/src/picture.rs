//! Pictures of the browser: PNG to pixels.
//!
//! In: a PNG as screenshots are (8 bits, red, green and blue, optionally
//! alpha). Out: its size and colors.

use std::io::Read as _;

use anyhow::{Context as _, Result, bail, ensure};
use flate2::read::ZlibDecoder;

const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// A picture.
pub struct Picture {
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    depth: usize,
    bytes: Vec<u8>,
}

impl Picture {
    /// Decodes a PNG.
    pub fn decode(png: &[u8]) -> Result<Self> {
        let mut rest = png.strip_prefix(SIGNATURE).context("a PNG")?;
        let (mut width, mut height, mut depth) = (0, 0, 0);
        let mut packed = Vec::new();
        while let Some((head, behind)) = rest.split_at_checked(8) {
            let length = u32::from_be_bytes(head[..4].try_into()?) as usize;
            let (data, behind) = behind.split_at_checked(length).context("a chunk")?;
            match &head[4..] {
                b"IHDR" => {
                    width = u32::from_be_bytes(data[..4].try_into()?) as usize;
                    height = u32::from_be_bytes(data[4..8].try_into()?) as usize;
                    depth = match (data[8], data[9], data[12]) {
                        (8, 2, 0) => 3,
                        (8, 6, 0) => 4,
                        other => bail!("a PNG of another kind: {other:?}"),
                    };
                }
                b"IDAT" => packed.extend_from_slice(data),
                _ => {}
            }
            rest = behind.get(4..).context("a checksum")?;
        }
        let mut raw = Vec::new();
        ZlibDecoder::new(&*packed).read_to_end(&mut raw)?;
        let stride = width * depth;
        ensure!(stride > 0 && raw.len() == height * (stride + 1), "a size");
        let mut bytes: Vec<u8> = Vec::with_capacity(height * stride);
        for row in raw.chunks_exact(stride + 1) {
            let start = bytes.len();
            for (index, byte) in row[1..].iter().enumerate() {
                let here = start + index;
                let (is_first, is_top) = (index < depth, start == 0);
                let left = if is_first { 0 } else { bytes[here - depth] };
                let up = if is_top { 0 } else { bytes[here - stride] };
                let corner = if is_first || is_top {
                    0
                } else {
                    bytes[here - depth - stride]
                };
                let guess = match row[0] {
                    0 => 0,
                    1 => left,
                    2 => up,
                    3 => u8::midpoint(left, up),
                    4 => paeth(left, up, corner),
                    other => bail!("a filter {other}"),
                };
                bytes.push(byte.wrapping_add(guess));
            }
        }
        Ok(Self {
            width,
            height,
            depth,
            bytes,
        })
    }

    /// Red, green and blue of every pixel.
    pub fn pixels(&self) -> impl Iterator<Item = [u8; 3]> + '_ {
        self.bytes
            .chunks_exact(self.depth)
            .map(|pixel| [pixel[0], pixel[1], pixel[2]])
    }

    /// How many pixels have this color, about.
    pub fn count(&self, color: [u8; 3]) -> usize {
        self.pixels()
            .filter(|pixel| {
                pixel
                    .iter()
                    .zip(color)
                    .all(|(own, other)| own.abs_diff(other) <= 6)
            })
            .count()
    }

    /// How bright it is on average, from 0 to 255.
    pub fn brightness(&self) -> usize {
        let sum: usize = self
            .pixels()
            .map(|[red, green, blue]| usize::from(red) + usize::from(green) + usize::from(blue))
            .sum();
        sum / 3 / (self.width * self.height).max(1)
    }
}

/// The neighbor closest to what the gradient predicts.
fn paeth(left: u8, up: u8, corner: u8) -> u8 {
    let guess = i16::from(left) + i16::from(up) - i16::from(corner);
    let distance = |byte: u8| (guess - i16::from(byte)).abs();
    if distance(left) <= distance(up) && distance(left) <= distance(corner) {
        left
    } else if distance(up) <= distance(corner) {
        up
    } else {
        corner
    }
}
