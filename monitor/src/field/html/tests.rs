//! A page in every split, and pages that mean harm.

use super::*;

const PAGE: &str = r#"<!doctype html><html><head>
<title>Online ADHD &amp; anxiety assessment</title>
<meta name="description" content="Take the quiz">
<link rel="preconnect dns-prefetch" href="https://connect.facebook.net">
<link rel="canonical" href="https://www.facebook.com/clinic">
<script async src="//www.googletagmanager.com/gtag/js?id=G-AB12CD34"></script>
<script>fbq('track', 'Lead', {content_name: 'a</b>'});</script>
<script type="application/ld+json">{"url": "https://analytics.tiktok.com/x"}</script>
</head><body><h1>Start <b>here</b></h1>
<!-- <img src="https://hidden.example.com/x"> -->
<noscript><img height="1" src="https://www.facebook.com/tr?id=1&amp;ev=PageView"/></noscript>
<img data-src='https://px.example.com/a?b#c' srcset="/local.png 1x, https://two.example.com/b.png 2x">
<a href="https://www.tiktok.com/@clinic">us</a>
<form><input type="hidden" name="csrf" value="x"><label for="e">Your email</label>
<input id="e" type="EMAIL" placeholder="you@example.com"><label>Date of birth <input name=dob></label>
<select name="symptom"><option>sad</option></select><textarea name="story"></textarea></form>
<style>.a { background: url("https://style.example.com/x") }</style>é</body></html>"#;

fn shown(document: &Document) -> Vec<String> {
    let resources = document
        .resources
        .iter()
        .map(|r| format!("load {}{}?{}", r.host, r.path, r.query));
    let texts = document
        .texts
        .iter()
        .map(|(key, text)| format!("{key} {text}"));
    let inputs = document.inputs.iter().map(|input| {
        format!(
            "input {} {}",
            input.kind,
            input.texts().collect::<Vec<_>>().join("|")
        )
    });
    resources.chain(texts).chain(inputs).collect()
}

fn read(pieces: &[&[u8]]) -> Document {
    let mut reader = HtmlReader::default();
    for piece in pieces {
        reader.push(piece);
    }
    reader.finish()
}

#[test]
fn a_page_is_read_in_every_split() {
    let bytes = PAGE.as_bytes();
    let whole = read(&[bytes]);
    assert_eq!(
        shown(&whole),
        [
            "load connect.facebook.net/?",
            "load www.googletagmanager.com/gtag/js?id=G-AB12CD34",
            "load www.facebook.com/tr?id=1&ev=PageView",
            "load px.example.com/a?b",
            "load two.example.com/b.png?",
            "title Online ADHD & anxiety assessment",
            "description Take the quiz",
            "title Start here",
            "input email e|you@example.com|Your email",
            "input text dob|Date of birth",
            "input select symptom",
            "input textarea story",
        ]
    );
    assert_eq!(
        whole.scripts,
        ["fbq('track', 'Lead', {content_name: 'a</b>'});"]
    );
    for split in 0..bytes.len() {
        let parts = read(&[&bytes[..split], &bytes[split..]]);
        assert_eq!(shown(&parts), shown(&whole), "{split}");
        assert_eq!(parts.scripts, whole.scripts, "{split}");
        // A prefix gives what it holds, and no harm.
        drop(read(&[&bytes[..split]]));
    }
    let each: Vec<_> = bytes.chunks(1).collect();
    assert_eq!(shown(&read(&each)), shown(&whole));
}

#[test]
fn harmful_markup_is_bounded() {
    let many = "<img src='//a.example.com/1'><img src='//b.example.com/2'>".repeat(3_000);
    let document = read(&[many.as_bytes()]);
    assert!(document.cut && document.resources.len() <= 2_000);
    let inputs = "<label>x<input name=a>".repeat(5_000);
    let document = read(&[inputs.as_bytes()]);
    assert!(document.cut && document.inputs.len() <= 1_000);
    let scripts = format!("<script>{}", "x".repeat(3 << 20));
    let document = read(&[scripts.as_bytes()]);
    assert!(document.cut);
    assert!(document.scripts.iter().map(String::len).sum::<usize>() <= 1 << 20);
    let numbered = |count: u32, behind: &str| {
        (0..count).fold(String::new(), |text, number| {
            text + " a" + &number.to_string() + behind
        })
    };
    let endless = numbered(400_000, "");
    let document = read(&[format!("<img{endless}><img src='//a.example.com/1'>").as_bytes()]);
    assert!(document.cut && document.resources.is_empty());
    let quoted = numbered(50_000, "='>'");
    assert!(read(&[format!("<img{quoted}>").as_bytes()]).cut);
    let image = format!("<img src='data:image/png;base64,{}'>", "A ".repeat(100_000));
    let document = read(&[format!("{image}<img src='//a.example.com/1'>").as_bytes()]);
    assert!(!document.cut && !document.resources.is_empty());
    for hostile in [
        "<".repeat(100_000),
        "<a ".repeat(50_000),
        format!("<img src=\"{}", "//x".repeat(100_000)),
        format!("<title>{}", "t".repeat(100_000)),
        "<script><!--<script>".repeat(1_000),
        "<svg><title><script>".repeat(1_000),
        "&#x0;&#xffffffff;&notanentity;".repeat(1_000),
        "<plaintext><img src=//x.example.com>".to_owned(),
    ] {
        drop(read(&[hostile.as_bytes()]));
    }
    drop(read(&[b"\xff\xfe<\0img src=\xf0\x9f", b"\x98"]));
}
