//! The service behind: it reads heads, and answers each with the same few bytes.

use std::io;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 2\r\n\r\nok";

/// More than the head of any request here.
const HEAD: usize = 64 * 1024;

/// Serves for as long as the runtime lasts.
pub(crate) async fn serve(listener: TcpListener) -> io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        // A connection that breaks off is seen by whoever is measured.
        tokio::spawn(answer(stream));
    }
}

async fn answer(mut stream: TcpStream) -> io::Result<()> {
    let mut buffer = vec![0; HEAD];
    let mut length = 0;
    loop {
        let read = stream.read(&mut buffer[length..]).await?;
        if read == 0 {
            return Ok(());
        }
        length += read;
        // Requests have no bodies here, and come one after the other.
        if buffer[..length].ends_with(b"\r\n\r\n") {
            stream.write_all(ANSWER).await?;
            length = 0;
        }
    }
}
