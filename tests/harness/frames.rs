//! HTTP/2 written frame by frame (RFC 9113), since a client library keeps the rules that an attacker breaks.

use std::{io, net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

/// What a connection begins with.
pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Kinds of frames.
pub const DATA: u8 = 0;
/// See `DATA`.
pub const HEADERS: u8 = 1;
/// See `DATA`.
pub const RST_STREAM: u8 = 3;
/// See `DATA`.
pub const SETTINGS: u8 = 4;
/// See `DATA`.
pub const PING: u8 = 6;
/// See `DATA`.
pub const GOAWAY: u8 = 7;
/// See `DATA`.
pub const CONTINUATION: u8 = 9;

/// Flags of frames: the last of a stream, and the last of a header block.
pub const END_STREAM: u8 = 1;
/// See `END_STREAM`.
pub const END_HEADERS: u8 = 4;

/// How far a flood got.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Flood {
    /// All of it was taken.
    Taken,
    /// The server stopped to read.
    Stuck,
    /// The server closed the connection.
    Closed,
}

/// One frame.
pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a frame of a test is small").to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// A header block without compression: every field as a literal that is not remembered (RFC 7541, 6.2.2).
pub fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(0);
        for text in [name, value] {
            put_length(&mut block, text.len());
            block.extend_from_slice(text.as_bytes());
        }
    }
    block
}

/// A length with a prefix of seven bits (RFC 7541, 5.1).
fn put_length(block: &mut Vec<u8>, length: usize) {
    let byte = |length: usize| u8::try_from(length).expect("seven bits");
    if length < 127 {
        return block.push(byte(length));
    }
    block.push(127);
    let mut rest = length - 127;
    while rest >= 128 {
        block.push(128 | byte(rest % 128));
        rest /= 128;
    }
    block.push(byte(rest));
}

/// A connection that sends what it is told.
#[derive(Debug)]
pub struct Raw {
    stream: TcpStream,
}

impl Raw {
    /// A connection on which nothing was said yet.
    pub async fn silent(door: SocketAddr) -> io::Result<Self> {
        Ok(Self { stream: TcpStream::connect(door).await? })
    }

    /// A connection that has begun.
    pub async fn open(door: SocketAddr) -> io::Result<Self> {
        let mut raw = Self::silent(door).await?;
        raw.stream.write_all(&[PREFACE, &frame(SETTINGS, 0, 0, &[])].concat()).await?;
        Ok(raw)
    }

    /// Sends bytes that are taken at once.
    pub async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await
    }

    /// Sends bytes until the end, or until the server takes none for a while, or no more.
    pub async fn flood(&mut self, bytes: &[u8]) -> Flood {
        flood(&mut self.stream, bytes).await
    }

    /// The same while everything that comes back is read, as far as `patience` goes. Answers what came too.
    pub async fn flood_and_read(self, bytes: &[u8], patience: Duration) -> (Flood, Vec<u8>) {
        let (mut reader, mut writer) = self.stream.into_split();
        let reading = async {
            let mut came = Vec::new();
            let _: Result<_, _> = timeout(patience, async {
                // An end and a broken connection alike are where reading ends.
                while reader.read_buf(&mut came).await.is_ok_and(|count| count > 0) {}
            })
            .await;
            came
        };
        tokio::join!(flood(&mut writer, bytes), reading)
    }

    /// Reads frames until one of this kind comes on this stream; its flags and payload, or none when the connection ends.
    pub async fn wait_for(&mut self, kind: u8, stream: u32, patience: Duration) -> Option<(u8, Vec<u8>)> {
        let reading = async {
            loop {
                let mut head = [0; 9];
                self.stream.read_exact(&mut head).await.ok()?;
                let [a, b, c, found, flags, rest @ ..] = head;
                let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
                self.stream.read_exact(&mut payload).await.ok()?;
                if (found, u32::from_be_bytes(rest)) == (kind, stream) {
                    return Some((flags, payload));
                }
            }
        };
        timeout(patience, reading).await.ok().flatten()
    }
}

async fn flood(to: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> Flood {
    /// A server that takes nothing for so long does not want it.
    const STUCK: Duration = Duration::from_millis(500);
    for part in bytes.chunks(64 * 1024) {
        match timeout(STUCK, to.write_all(part)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return Flood::Closed,
            Err(_) => return Flood::Stuck,
        }
    }
    Flood::Taken
}

/// Code of the GOAWAY among the frames that came; none when there is none.
pub fn goaway(mut came: &[u8]) -> Option<u32> {
    while let [a, b, c, kind, _, _, _, _, _, rest @ ..] = came {
        let length = u32::from_be_bytes([0, *a, *b, *c]) as usize;
        let payload = rest.get(..length)?;
        if *kind == GOAWAY {
            return payload.get(4..8).map(|code| u32::from_be_bytes(code.try_into().expect("four bytes")));
        }
        came = &rest[length..];
    }
    None
}
