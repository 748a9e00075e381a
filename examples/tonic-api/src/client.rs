//! Calls to the server, over its socket.

use crate::{
    caller_client::CallerClient,
    messages::{GreetRequest, WhoAmIReply, WhoAmIRequest},
};
use tonic::{
    Request, Status,
    metadata::{AsciiMetadataValue, errors::InvalidMetadataValue},
    transport::{Channel, Endpoint, Error},
};

#[derive(Clone)]
pub(crate) struct Client {
    channel: Channel,
    /// The field that carries the access token.
    authorization: Option<AsciiMetadataValue>,
}

impl Client {
    pub(crate) async fn connect(url: String) -> Result<Self, Error> {
        Ok(Self {
            channel: Endpoint::from_shared(url)?.connect().await?,
            authorization: None,
        })
    }

    pub(crate) fn with_token(&self, token: &str) -> Result<Self, InvalidMetadataValue> {
        Ok(Self {
            channel: self.channel.clone(),
            authorization: Some(format!("Bearer {token}").parse()?),
        })
    }

    pub(crate) async fn who_am_i(&self) -> Result<WhoAmIReply, Status> {
        let request = self.request(WhoAmIRequest {});
        let reply = CallerClient::new(self.channel.clone())
            .who_am_i(request)
            .await?;
        Ok(reply.into_inner())
    }

    pub(crate) async fn greet(&self, times: u32) -> Result<Vec<String>, Status> {
        let request = self.request(GreetRequest { times });
        let reply = CallerClient::new(self.channel.clone())
            .greet(request)
            .await?;
        let mut stream = reply.into_inner();
        let mut texts = Vec::new();
        while let Some(greeting) = stream.message().await? {
            texts.push(greeting.text);
        }
        Ok(texts)
    }

    fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        if let Some(authorization) = &self.authorization {
            request
                .metadata_mut()
                .insert("authorization", authorization.clone());
        }
        request
    }
}
