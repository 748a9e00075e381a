//! The messages of the service, as they would stand in a `.proto` file.

use prost::Message;

#[derive(Clone, PartialEq, Message)]
pub(crate) struct WhoAmIRequest {}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct WhoAmIReply {
    #[prost(string, tag = "1")]
    pub(crate) subject: String,
    #[prost(string, tag = "2")]
    pub(crate) client_id: String,
    #[prost(string, repeated, tag = "3")]
    pub(crate) scopes: Vec<String>,
    /// The claims of the backend JWT, as JSON.
    #[prost(string, tag = "4")]
    pub(crate) backend_claims: String,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct GreetRequest {
    #[prost(uint32, tag = "1")]
    pub(crate) times: u32,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Greeting {
    #[prost(string, tag = "1")]
    pub(crate) text: String,
}
