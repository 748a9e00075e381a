//! As much of HTTP/1.1 as loopback needs.

use http::{
    HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode,
    header::{CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING},
};
use std::{fmt::Write, io, net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines},
    net::{TcpListener, TcpStream, tcp::OwnedReadHalf},
    time::timeout,
};

pub(crate) type Answer = Response<Vec<u8>>;

/// Sends a GET; what is not answered in time has failed.
pub(crate) async fn get(
    address: SocketAddr,
    path: &str,
    fields: &[(&str, &str)],
    patience: Duration,
) -> io::Result<Answer> {
    timeout(patience, exchange(address, path, fields))
        .await
        .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
}

async fn exchange(address: SocketAddr, path: &str, fields: &[(&str, &str)]) -> io::Result<Answer> {
    let mut head = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n");
    for (name, value) in fields {
        head += &format!("{name}: {value}\r\n");
    }
    head += "\r\n";
    let (reader, mut writer) = TcpStream::connect(address).await?.into_split();
    writer.write_all(head.as_bytes()).await?;
    let mut lines = BufReader::new(reader).lines();
    let start = lines.next_line().await?.ok_or_else(broken)?;
    let status = start.split(' ').nth(1).and_then(|text| text.parse().ok());
    let fields = read_fields(&mut lines).await?;
    let length = fields.get(CONTENT_LENGTH).map(HeaderValue::to_str);
    let length = match length {
        Some(Ok(text)) => text.parse().map_err(|_| broken())?,
        _ if fields.contains_key(TRANSFER_ENCODING) => return Err(broken()),
        _ => 0,
    };
    let mut body = vec![0; length];
    lines.into_inner().read_exact(&mut body).await?;
    let mut answer = Response::new(body);
    *answer.status_mut() = status.ok_or_else(broken)?;
    *answer.headers_mut() = fields;
    Ok(answer)
}

/// Answers every request as `answer` says, over connections that stay until the other side is done.
pub(crate) async fn serve<A, F>(listener: TcpListener, answer: A)
where
    A: Fn(Request<()>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Answer> + Send + 'static,
{
    while let Ok((stream, _)) = listener.accept().await {
        let answer = answer.clone();
        tokio::spawn(converse(stream, answer));
    }
}

async fn converse<A, F>(stream: TcpStream, answer: A) -> io::Result<()>
where
    A: Fn(Request<()>) -> F,
    F: Future<Output = Answer>,
{
    let (reader, mut writer) = stream.into_split();
    let mut lines = BufReader::new(reader).lines();
    while let Some(start) = lines.next_line().await? {
        let path = start.split(' ').nth(1).ok_or_else(broken)?;
        let request = Request::get(path).body(());
        let mut request = request.map_err(|_| broken())?;
        *request.headers_mut() = read_fields(&mut lines).await?;
        let last = request
            .headers()
            .get(CONNECTION)
            .is_some_and(|value| value == "close");
        let answer = answer(request).await;
        writer.write_all(&written(&answer)).await?;
        if last {
            break;
        }
    }
    Ok(())
}

fn written(answer: &Answer) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {}\r\n", answer.status());
    for (name, value) in answer.headers() {
        if let Ok(value) = value.to_str() {
            let _ = write!(head, "{name}: {value}\r\n");
        }
    }
    let _ = write!(head, "content-length: {}\r\n\r\n", answer.body().len());
    [head.as_bytes(), answer.body()].concat()
}

async fn read_fields(lines: &mut Lines<BufReader<OwnedReadHalf>>) -> io::Result<HeaderMap> {
    let mut fields = HeaderMap::new();
    loop {
        let line = lines.next_line().await?.ok_or_else(broken)?;
        if line.is_empty() {
            return Ok(fields);
        }
        let (name, value) = line.split_once(':').ok_or_else(broken)?;
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| broken())?;
        let value = HeaderValue::from_str(value.trim()).map_err(|_| broken())?;
        fields.insert(name, value);
    }
}

pub(crate) fn empty(status: StatusCode) -> Answer {
    let mut answer = Response::new(Vec::new());
    *answer.status_mut() = status;
    answer
}

fn broken() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        "broken off, or no HTTP that is known here",
    )
}
