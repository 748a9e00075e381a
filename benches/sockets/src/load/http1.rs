//! HTTP/1.1, by hand: the generator has to be cheaper than what it measures.

use super::Shared;
use crate::Fault;
use std::{io::Write, net::SocketAddr, sync::Arc};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// A connection with one request at a time.
#[derive(Debug)]
pub(crate) struct Exchange {
    stream: TcpStream,
    request: Vec<u8>,
    response: Vec<u8>,
}

impl Exchange {
    pub(crate) async fn connect(address: SocketAddr) -> Result<Self, Fault> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            request: Vec::new(),
            response: vec![0; 16 * 1024],
        })
    }

    /// Sends a request and reads the response to its end: the status.
    pub(crate) async fn get(&mut self, path: &str, token: Option<&str>) -> Result<u16, Fault> {
        request(&mut self.request, path, token);
        self.stream.write_all(&self.request).await?;
        let mut length = 0;
        loop {
            let read = self.stream.read(&mut self.response[length..]).await?;
            if read == 0 {
                return Err(
                    "a connection was closed, or a response is longer than expected".into(),
                );
            }
            length += read;
            if let Some(status) = status(&self.response[..length])? {
                return Ok(status);
            }
        }
    }
}

pub(super) async fn drive(mut exchange: Exchange, shared: Arc<Shared>) -> Result<Exchange, Fault> {
    while let Some(number) = shared.next() {
        let token = shared.token(number);
        shared.check(exchange.get(shared.work.path, token).await?)?;
    }
    Ok(exchange)
}

/// Writes a request over what is in the buffer.
pub(crate) fn request(buffer: &mut Vec<u8>, path: &str, token: Option<&str>) {
    buffer.clear();
    // Writing to memory does not fail.
    let _ = write!(
        buffer,
        "GET {path} HTTP/1.1\r\nhost: api.example.com\r\naccept: */*\r\n"
    );
    if let Some(token) = token {
        let _ = write!(buffer, "authorization: Bearer {token}\r\n");
    }
    buffer.extend_from_slice(b"\r\n");
}

/// The status, if this is a whole response. Only those with a length are understood.
pub(crate) fn status(response: &[u8]) -> Result<Option<u16>, Fault> {
    let Some(head) = response.windows(4).position(|four| four == b"\r\n\r\n") else {
        return Ok(None);
    };
    let (head, body) = response.split_at(head + 4);
    let head = str::from_utf8(head)?;
    let status = head
        .get(9..12)
        .ok_or("a response without a status")?
        .parse()?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim())
    });
    let length: usize = length.ok_or("a response without a length")?.parse()?;
    Ok((body.len() >= length).then_some(status))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_is_whole_when_its_body_is_there() {
        let response = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno";
        assert_eq!(status(response).unwrap(), Some(401));
        for end in [0, 12, response.len() - 1] {
            assert_eq!(status(&response[..end]).unwrap(), None, "{end}");
        }
        assert!(status(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").is_err());
    }
}
