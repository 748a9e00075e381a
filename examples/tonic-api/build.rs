//! Writes the trait, the server and the client of the gRPC service. It is described here instead of
//! in a `.proto` file, so that no `protoc` is needed:
//!
//! ```proto
//! package demo;
//! service Caller {
//!   rpc WhoAmI(WhoAmIRequest) returns (WhoAmIReply);
//!   rpc Greet(GreetRequest) returns (stream Greeting);
//! }
//! ```

use tonic_build::manual::{Builder, Method, Service};

fn main() {
    let method = |name, route, input, output| {
        Method::builder()
            .name(name)
            .route_name(route)
            .input_type(input)
            .output_type(output)
            .codec_path("tonic_prost::ProstCodec")
    };
    let who_am_i = method(
        "who_am_i",
        "WhoAmI",
        "crate::messages::WhoAmIRequest",
        "crate::messages::WhoAmIReply",
    );
    let greet = method(
        "greet",
        "Greet",
        "crate::messages::GreetRequest",
        "crate::messages::Greeting",
    );
    let caller = Service::builder()
        .package("demo")
        .name("Caller")
        .method(who_am_i.build())
        .method(greet.server_streaming().build())
        .build();
    Builder::new().compile(&[caller]);
    println!("cargo:rerun-if-changed=build.rs");
}
