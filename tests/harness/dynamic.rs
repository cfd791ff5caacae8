//! Calls of any method by its descriptor, without generated code: what the walk over the contract and foreign clients do.

use std::{sync::LazyLock, time::Duration};

use bytes::{Buf, BufMut, Bytes};
use http::uri::PathAndQuery;
use prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor, MethodDescriptor};
use tonic::{
    Status, Streaming,
    client::Grpc,
    codec::{Codec, CompressionEncoding, DecodeBuf, Decoder, EncodeBuf, Encoder},
    transport::Channel,
};

use super::{
    answer::Refusal,
    client::{Bearer, MOST_PAUSES, PAUSE, RATE_LIMITED},
};

/// Time in which a stream that was accepted need not send anything.
const A_MOMENT: Duration = Duration::from_millis(300);

/// The contract as it is compiled into the programs.
pub static POOL: LazyLock<DescriptorPool> = LazyLock::new(|| {
    DescriptorPool::decode(trato_proto::DESCRIPTORS).expect("the contract's own descriptors can be read")
});

/// Every method of the suite, those of `trato.directory` included, by full name.
pub fn methods() -> Vec<MethodDescriptor> {
    let ours = POOL.services().filter(|service| service.full_name().starts_with("trato."));
    let mut methods: Vec<_> = ours.flat_map(|service| service.methods().collect::<Vec<_>>()).collect();
    methods.sort_by(|a, b| a.full_name().cmp(b.full_name()));
    methods
}

/// A method by its full name.
pub fn method(full_name: &str) -> MethodDescriptor {
    let found = methods().into_iter().find(|method| method.full_name() == full_name);
    found.unwrap_or_else(|| panic!("the contract has no method {full_name}"))
}

/// Reads JSON as a message of this type; panics when it is none, since tests write valid requests.
pub fn message(descriptor: &MessageDescriptor, json: &serde_json::Value) -> DynamicMessage {
    DynamicMessage::deserialize(descriptor.clone(), json.clone())
        .unwrap_or_else(|error| panic!("{json} is no {}: {error}", descriptor.full_name()))
}

/// A message as canonical JSON.
pub fn json(message: &DynamicMessage) -> serde_json::Value {
    serde_json::to_value(message).expect("a message of the contract can be written as JSON")
}

/// A unary call.
pub async fn unary(
    channel: &Channel,
    token: Option<&str>,
    method: &MethodDescriptor,
    message: DynamicMessage,
) -> Result<DynamicMessage, Status> {
    let mut client = ready(channel).await?;
    let codec = DynamicCodec(method.output());
    Ok(client.unary(Bearer::new(token).on(message), path(method), codec).await?.into_inner())
}

/// A call that is answered by a stream.
pub async fn streaming(
    channel: &Channel,
    token: Option<&str>,
    method: &MethodDescriptor,
    message: DynamicMessage,
) -> Result<Streaming<DynamicMessage>, Status> {
    let mut client = ready(channel).await?;
    let codec = DynamicCodec(method.output());
    Ok(client.server_streaming(Bearer::new(token).on(message), path(method), codec).await?.into_inner())
}

/// A call of a method of either kind with bytes that need not be a message. A stream that is accepted counts as OK.
/// Who is told to slow down does.
pub async fn bytes(
    channel: &Channel,
    token: Option<&str>,
    method: &MethodDescriptor,
    body: Bytes,
) -> Result<(), Status> {
    for _ in 0..MOST_PAUSES {
        match bytes_once(channel, token, method, body.clone()).await {
            Err(status) if Refusal::of(&status).reason == RATE_LIMITED => tokio::time::sleep(PAUSE).await,
            answered => return answered,
        }
    }
    bytes_once(channel, token, method, body).await
}

async fn bytes_once(
    channel: &Channel,
    token: Option<&str>,
    method: &MethodDescriptor,
    body: Bytes,
) -> Result<(), Status> {
    let mut client = ready(channel).await?;
    let request = Bearer::new(token).on(body);
    if !method.is_server_streaming() {
        return client.unary(request, path(method), BytesCodec).await.map(drop);
    }
    let mut stream = client.server_streaming(request, path(method), BytesCodec).await?.into_inner();
    match tokio::time::timeout(A_MOMENT, stream.message()).await {
        Ok(first) => first.map(drop),
        Err(_) => Ok(()),
    }
}

/// A call whose message is sent compressed, as gzip.
pub async fn compressed(
    channel: &Channel,
    token: Option<&str>,
    method: &MethodDescriptor,
    body: Bytes,
) -> Result<(), Status> {
    let mut client = ready(channel).await?.send_compressed(CompressionEncoding::Gzip);
    client.unary(Bearer::new(token).on(body), path(method), BytesCodec).await.map(drop)
}

async fn ready(channel: &Channel) -> Result<Grpc<Channel>, Status> {
    let mut client = Grpc::new(channel.clone()).max_decoding_message_size(usize::MAX);
    client.ready().await.map_err(|error| Status::unavailable(format!("no connection: {error}")))?;
    Ok(client)
}

fn path(method: &MethodDescriptor) -> PathAndQuery {
    let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
    path.parse().expect("names of methods are plain text")
}

/// Messages by descriptor; it carries the type of the answers.
struct DynamicCodec(MessageDescriptor);

struct DynamicEncoder;

struct DynamicDecoder(MessageDescriptor);

impl Codec for DynamicCodec {
    type Encode = DynamicMessage;
    type Decode = DynamicMessage;
    type Encoder = DynamicEncoder;
    type Decoder = DynamicDecoder;

    fn encoder(&mut self) -> DynamicEncoder {
        DynamicEncoder
    }

    fn decoder(&mut self) -> DynamicDecoder {
        DynamicDecoder(self.0.clone())
    }
}

impl Encoder for DynamicEncoder {
    type Item = DynamicMessage;
    type Error = Status;

    fn encode(&mut self, item: DynamicMessage, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        item.encode(to).map_err(|error| Status::internal(error.to_string()))
    }
}

impl Decoder for DynamicDecoder {
    type Item = DynamicMessage;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<DynamicMessage>, Status> {
        let decoded = DynamicMessage::decode(self.0.clone(), from);
        decoded.map(Some).map_err(|error| Status::internal(format!("the answer is unreadable: {error}")))
    }
}

/// Whatever bytes there are.
struct BytesCodec;

impl Codec for BytesCodec {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for BytesCodec {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        to.put(item);
        Ok(())
    }
}

impl Decoder for BytesCodec {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(from.copy_to_bytes(from.remaining())))
    }
}
