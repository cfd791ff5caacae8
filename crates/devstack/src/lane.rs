//! Connections that cost next to nothing, for clients that send more than the suite can take.
//!
//! They speak HTTP/1.1 by hand: what a full client spends on a request would be missing to the suite on the same machine,
//! and an overload would then measure the client.

use std::io::{Error, ErrorKind, Result};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// A POST of JSON.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Token of the caller.
    pub token: &'a str,
    /// Path.
    pub path: &'a str,
    /// Value of `idempotency-key`.
    pub key: &'a str,
    /// Body.
    pub body: &'a str,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Body.
    pub body: Vec<u8>,
}

/// One connection, made when it is needed and again after it broke.
#[derive(Debug)]
pub struct Lane {
    authority: String,
    stream: Option<TcpStream>,
}

impl Lane {
    /// To the server of this URL, `http://127.0.0.1:8080`.
    pub fn new(url: &str) -> Self {
        let authority = url.trim_start_matches("http://").trim_end_matches('/').to_owned();
        Self { authority, stream: None }
    }

    /// Connects beforehand, so that no request has to wait for it.
    pub async fn connect(&mut self) -> Result<()> {
        self.stream = Some(self.connected().await?);
        Ok(())
    }

    /// Sends a request and reads its answer. A connection that broke, or on which nobody waited for the answer, is not
    /// used again.
    pub async fn post(&mut self, request: Request<'_>) -> Result<Answer> {
        let mut stream = self.connected().await?;
        let Request { token, path, key, body } = request;
        let text = format!(
            "POST {path} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\n\
             idempotency-key: {key}\r\ncontent-length: {}\r\n\r\n{body}",
            self.authority,
            body.len()
        );
        stream.write_all(text.as_bytes()).await?;
        let answer = read_answer(&mut stream).await?;
        self.stream = Some(stream);
        Ok(answer)
    }

    async fn connected(&mut self) -> Result<TcpStream> {
        if let Some(stream) = self.stream.take() {
            return Ok(stream);
        }
        let stream = TcpStream::connect(&self.authority).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }
}

/// Reads a status and a body whose length the head announces.
async fn read_answer(stream: &mut TcpStream) -> Result<Answer> {
    let broken = |what: &str| Error::new(ErrorKind::InvalidData, what.to_owned());
    let mut bytes = Vec::with_capacity(1024);
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
            let status = head.get(9..12).and_then(|code| code.parse().ok());
            let status = status.ok_or_else(|| broken("no status"))?;
            let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
            let length: usize =
                length.and_then(|length| length.trim().parse().ok()).ok_or_else(|| broken("no length"))?;
            let mut body = bytes.split_off(end + 4);
            let missing = length.saturating_sub(body.len());
            let had = body.len();
            body.resize(had + missing, 0);
            stream.read_exact(&mut body[had..]).await?;
            return Ok(Answer { status, body });
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn answers_are_read_one_after_the_other_and_a_broken_connection_is_made_anew() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let url = format!("http://{}", listener.local_addr().expect("it is bound"));
        let server = tokio::spawn(async move {
            let mut sizes = Vec::new();
            for answers in [2, 1] {
                let (mut stream, _) = listener.accept().await.expect("a connection comes");
                for _ in 0..answers {
                    let mut bytes = [0; 1024];
                    sizes.push(stream.read(&mut bytes).await.expect("a request comes"));
                    let answer = b"HTTP/1.1 429 Too Many\r\nContent-Length: 2\r\n\r\n{}";
                    stream.write_all(answer).await.expect("it is taken");
                }
            }
            sizes
        });
        let mut lane = Lane::new(&url);
        lane.connect().await.expect("somebody listens");
        let request = Request { token: "t", path: "/v1/accounts", key: "k", body: "{}" };

        for _ in 0..2 {
            let answer = lane.post(request).await.expect("it is answered");
            assert_eq!((answer.status, answer.body.as_slice()), (429, b"{}".as_slice()));
        }
        lane.post(request).await.expect_err("the server has gone away");
        lane.post(request).await.expect("a new connection is made");

        let sizes = server.await.expect("the server ends");
        assert!(sizes.len() == 3 && sizes.iter().all(|size| *size == sizes[0]), "{sizes:?}");
    }
}
