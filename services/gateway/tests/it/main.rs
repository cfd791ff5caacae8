//! The gateway alone, in front of an upstream made for the test from a contract of its own.

mod codec;
mod contract;
mod grpc;
mod harness;
mod http_json;
mod lifecycle;
mod limits;
mod openapi;
mod random;
mod request;
mod routes;
mod streams;
mod upstream;
