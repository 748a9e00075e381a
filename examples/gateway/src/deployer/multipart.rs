//! The form that an API is deployed with.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, header};
use http_body::Body as HttpBody;
use http_body_util::{BodyDataStream, BodyExt, Full, LengthLimitError, Limited};
use multer::{Constraints, Multipart, SizeLimit};
use tokio::time::timeout;

use super::{answer::Refusal, conf};
use crate::body::{self, Body};

/// The longest definition.
const DEFINITION: usize = 8 * 1024 * 1024;
/// The longest request: both files, and what is around them.
const WHOLE: usize = conf::LONGEST + DEFINITION + 64 * 1024;
/// The most parts: clients may send fields that nobody reads.
const PARTS: usize = 16;
/// How long a request may take to arrive.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is deployed.
#[derive(Debug)]
pub(super) struct Form {
    pub(super) conf: Bytes,
    pub(super) definition: Option<Bytes>,
}

/// Reads the whole request before looking at it: a client that is still sending may miss an answer.
pub(super) async fn read(request: Request<Body>) -> Result<Form, Refusal> {
    let (head, body) = request.into_parts();
    let boundary = boundary(&head.headers)?;
    if body.size_hint().lower() > WHOLE as u64 {
        return Err(Refusal::TooLarge("the request"));
    }
    let limited = body::boxed(Limited::new(body, WHOLE));
    let bytes = match timeout(PATIENCE, limited.collect()).await {
        Err(_) => return Err(Refusal::TooSlow),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            return Err(Refusal::TooLarge("the request"));
        }
        Ok(Err(_)) => return Err(Refusal::Form("the request breaks off".to_owned())),
        Ok(Ok(collected)) => collected.to_bytes(),
    };
    parts(bytes, boundary).await
}

fn boundary(headers: &HeaderMap) -> Result<String, Refusal> {
    let content_type = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .ok_or(Refusal::NotMultipart)?;
    multer::parse_boundary(content_type).map_err(|error| match error {
        multer::Error::NoBoundary => Refusal::Form("content-type has no boundary".to_owned()),
        _ => Refusal::NotMultipart,
    })
}

async fn parts(bytes: Bytes, boundary: String) -> Result<Form, Refusal> {
    let limits = SizeLimit::new()
        .for_field("apkConfiguration", conf::LONGEST as u64)
        .for_field("definitionFile", DEFINITION as u64);
    let mut form = Multipart::with_constraints(
        BodyDataStream::new(Full::new(bytes)),
        boundary,
        Constraints::new().size_limit(limits),
    );
    let mut conf = None;
    let mut definition = None;
    let mut count = 0;
    while let Some(part) = form.next_field().await.map_err(refused)? {
        count += 1;
        if count > PARTS {
            return Err(Refusal::Form(format!("more than {PARTS} parts")));
        }
        let (place, name) = match part.name() {
            Some("apkConfiguration") => (&mut conf, "apkConfiguration"),
            Some("definitionFile") => (&mut definition, "definitionFile"),
            _ => continue,
        };
        if place
            .replace(part.bytes().await.map_err(refused)?)
            .is_some()
        {
            return Err(Refusal::Parts(format!("{name} is there twice")));
        }
    }
    Ok(Form {
        conf: conf.ok_or_else(|| Refusal::Parts("apkConfiguration is missing".to_owned()))?,
        definition,
    })
}

fn refused(error: multer::Error) -> Refusal {
    match error {
        multer::Error::FieldSizeExceeded { field_name, .. } => {
            Refusal::TooLarge(match field_name.as_deref() {
                Some("definitionFile") => "definitionFile",
                _ => "apkConfiguration",
            })
        }
        other => Refusal::Form(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use std::{convert::Infallible, future::pending};

    use http_body_util::channel::Channel;

    use super::*;

    fn request(content_type: &str, body: Body) -> Request<Body> {
        Request::post("/")
            .header("content-type", content_type)
            .body(body)
            .unwrap()
    }

    async fn form(text: &str) -> Result<Form, Refusal> {
        read(request(
            "multipart/form-data; boundary=b",
            body::full(text.to_owned()),
        ))
        .await
    }

    fn part(name: &str, content: &str) -> String {
        format!(
            "--b\r\ncontent-disposition: form-data; name={name:?}; filename=x\r\n\r\n{content}\r\n"
        )
    }

    #[tokio::test]
    async fn both_files_are_found_among_the_parts() {
        let (definition, conf, other) = (
            part("definitionFile", "{}\r\n--"),
            part("apkConfiguration", "name: a\n"),
            part("other", "x"),
        );
        let form = form(&format!("preamble\r\n{definition}{other}{conf}--b--\r\n"))
            .await
            .unwrap();
        assert_eq!(form.conf, "name: a\n");
        assert_eq!(form.definition.unwrap(), "{}\r\n--");
    }

    #[tokio::test]
    async fn a_form_that_is_not_whole_is_refused() {
        let conf = part("apkConfiguration", "name: a");
        let long = part("apkConfiguration", &"x".repeat(conf::LONGEST + 1));
        let many = part("other", "").repeat(PARTS + 1);
        for (text, reason) in [
            (String::new(), "Form"),
            (conf.clone(), "Form"),
            (conf.replace("--b", "--c") + "--c--", "Form"),
            (format!("{conf}--b\r\n"), "Form"),
            ("--b--\r\n".to_owned(), "apkConfiguration is missing"),
            (
                format!("{conf}{conf}--b--"),
                "apkConfiguration is there twice",
            ),
            (format!("{long}--b--"), "TooLarge(\"apkConfiguration\")"),
            (format!("{many}--b--"), "more than 16 parts"),
        ] {
            let refusal = format!("{:?}", form(&text).await.unwrap_err());
            assert!(refusal.contains(reason), "{text:.100}: {refusal}");
        }
    }

    #[tokio::test]
    async fn what_is_not_a_form_is_refused_by_its_type() {
        for (content_type, reason) in [
            ("application/yaml", "NotMultipart"),
            ("multipart/mixed; boundary=b", "NotMultipart"),
            ("", "NotMultipart"),
            ("multipart/form-data", "no boundary"),
        ] {
            let refusal = read(request(content_type, body::full("")))
                .await
                .unwrap_err();
            let refusal = format!("{refusal:?}");
            assert!(refusal.contains(reason), "{content_type}: {refusal}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_does_not_end_is_given_up() {
        let (mut sender, body) = Channel::<Bytes, Infallible>::new(1);
        tokio::spawn(async move {
            let _ = sender.send_data(Bytes::from_static(b"--b\r\n")).await;
            pending::<()>().await;
        });
        let request = request("multipart/form-data; boundary=b", body::boxed(body));
        assert!(matches!(read(request).await, Err(Refusal::TooSlow)));
    }
}
