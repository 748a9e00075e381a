//! The service behind.

use serde_json::{Map, json};
use std::io;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

/// The service behind: answers with the path and the header fields that it saw.
pub(crate) async fn echo(listener: TcpListener) -> Result<(), io::Error> {
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(answer(stream));
    }
}

async fn answer(mut stream: TcpStream) -> Result<(), io::Error> {
    let (reader, mut writer) = stream.split();
    let mut lines = BufReader::new(reader).lines();
    let start = lines.next_line().await?.unwrap_or_default();
    let path = start.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut fields = Map::new();
    while let Some(line) = lines.next_line().await? {
        let Some((name, value)) = line.split_once(':') else {
            break;
        };
        fields.insert(name.to_ascii_lowercase(), value.trim().into());
    }
    let body = json!({"path": path, "fields": fields}).to_string();
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
         connection: close\r\n\r\n",
        body.len()
    );
    writer.write_all(head.as_bytes()).await?;
    writer.write_all(body.as_bytes()).await
}
