//! Only so much is deployed at one time.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    deployer::{DEPLOY, FORM, Stage, form, refused},
    gateway::{bearer, until},
};

/// The first bytes of a deploy, which has got as far as being read.
async fn begun(stage: &Stage, conf: &str) -> (TcpStream, Vec<u8>) {
    let form = form(&[("apkConfiguration", conf.as_bytes())]);
    let url = stage.gateway.admin_url("");
    let mut stream = TcpStream::connect(url.strip_prefix("http://").unwrap())
        .await
        .unwrap();
    let head = format!(
        "POST {DEPLOY} HTTP/1.1\r\nhost: localhost\r\nauthorization: {}\r\ncontent-type: {FORM}\r\n\
         content-length: {}\r\nexpect: 100-continue\r\nconnection: close\r\n\r\n",
        bearer(&stage.token),
        form.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    // The gateway says so when it begins to read.
    let mut told = [0; "HTTP/1.1 100 Continue\r\n\r\n".len()];
    stream.read_exact(&mut told).await.unwrap();
    assert_eq!(&told, b"HTTP/1.1 100 Continue\r\n\r\n");
    let (first, rest) = form.split_at(10);
    stream.write_all(first).await.unwrap();
    (stream, rest.to_vec())
}

#[tokio::test]
async fn four_deploys_arrive_at_one_time_and_the_next_is_to_come_again() {
    let stage = Stage::empty().await;
    let mut arriving = Vec::new();
    for n in 0..4 {
        let conf = stage.conf(&format!("arriving{n}"));
        arriving.push(begun(&stage, &conf).await);
    }
    let conf = stage.conf("a");
    let answer = stage.deploy(&conf).await;
    refused(&answer, 503, 503);
    assert_eq!(answer.headers["retry-after"], "5");
    // Nothing else has to wait.
    assert_eq!(stage.list(["id"]).await.len(), 0);
    assert_eq!(stage.undeploy("a").await.status, 404);

    // One is finished, one is given up.
    let (mut stream, rest) = arriving.pop().unwrap();
    stream.write_all(&rest).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    stage.deployed(&conf).await;
    assert_eq!(stage.get("arriving3").await.status, 200);

    arriving.push(begun(&stage, &conf).await);
    arriving.pop();
    until(200, async || stage.deploy(&conf).await).await;
}

#[tokio::test]
async fn who_may_not_deploy_takes_nobodys_place() {
    let mut stage = Stage::empty().await;
    let conf = stage.conf("a");
    let good = std::mem::take(&mut stage.token);
    let parts = form(&[("apkConfiguration", conf.as_bytes())]);
    let url = stage.gateway.admin_url("");
    let mut strangers = Vec::new();
    for _ in 0..5 {
        let mut stream = TcpStream::connect(url.strip_prefix("http://").unwrap())
            .await
            .unwrap();
        let head = format!(
            "POST {DEPLOY} HTTP/1.1\r\nhost: localhost\r\ncontent-type: {FORM}\r\ncontent-length: {}\r\n\r\n",
            parts.len()
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut status = [0; "HTTP/1.1 401".len()];
        stream.read_exact(&mut status).await.unwrap();
        assert_eq!(&status, b"HTTP/1.1 401");
        strangers.push(stream);
    }
    stage.token = good;
    stage.deployed(&conf).await;
}
