//! Every picture's way through the graph as an OpenTelemetry trace.
//!
//! Each stage has signed the picture with the times at which it took it up and sent it on. So the picture's whole way is
//! known here, at its end, and no other node has anything to do with it.

use eyre::{Result, WrapErr};
use mirror_contract::{Header, StageTime};
use opentelemetry::trace::{Span, SpanContext, SpanKind, TraceContextExt, Tracer, TracerProvider};
use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{BatchConfigBuilder, BatchSpanProcessor, SdkTracer, SdkTracerProvider, SpanData};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::runtime::{Builder, Runtime};

/// How long pictures are collected before they are sent off together.
const DELAY: Duration = Duration::from_secs(1);

/// What sends them off. What does not fit into its queue is left out; it holds back no picture.
pub struct Traces {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
    /// The connection lives in it.
    _runtime: Option<Runtime>,
}

impl Traces {
    /// Traces that go to a collector: `http://127.0.0.1:4317`, OTLP over gRPC. One that cannot be reached is said in the log.
    /// `None`: the address is empty.
    ///
    /// # Errors
    /// An address that is none.
    pub fn to(endpoint: &str) -> Result<Option<Self>> {
        if endpoint.is_empty() {
            return Ok(None);
        }
        let runtime = Builder::new_multi_thread().worker_threads(1).thread_name("traces").enable_all().build()?;
        let exporter = {
            let _inside = runtime.enter();
            SpanExporter::builder().with_tonic().with_endpoint(endpoint).build()
        };
        let exporter = exporter.wrap_err_with(|| {
            format!("DORA_OTLP_ENDPOINT=\"{endpoint}\" is not the address of a collector, like http://127.0.0.1:4317")
        })?;
        let resource = Resource::builder().with_service_name("mirror").build();
        let exporter = Spoken { exporter, failed: AtomicU64::new(0) };
        let often = BatchConfigBuilder::default().with_scheduled_delay(DELAY).build();
        let batches = BatchSpanProcessor::builder(exporter).with_batch_config(often).build();
        let provider = SdkTracerProvider::builder().with_resource(resource).with_span_processor(batches).build();
        Ok(Some(Self::of(provider, Some(runtime))))
    }

    fn of(provider: SdkTracerProvider, runtime: Option<Runtime>) -> Self {
        Self { tracer: provider.tracer("mirror"), provider, _runtime: runtime }
    }

    /// A picture was shown at that time.
    pub fn shown(&self, header: &Header, shown_ns: i64) {
        let stamp = &header.stamp;
        let mut attributes = vec![
            KeyValue::new("stream", stamp.stream.clone()),
            KeyValue::new("frame_id", stamp.frame_id),
            KeyValue::new("source", header.source.clone()),
        ];
        if let Some(painting) = &header.painting {
            attributes.extend([
                KeyValue::new("prompt", painting.prompt.clone()),
                KeyValue::new("pack", painting.pack.clone()),
                KeyValue::new("provider", painting.provider.clone()),
            ]);
        }
        let whole = self.span("picture", attributes, [stamp.captured_ns, shown_ns], &Context::new());
        let parent = Context::new().with_remote_span_context(whole);
        let mut before: Option<&StageTime> = None;
        for time in &header.trace.0 {
            if let Some(before) = before.replace(time) {
                let edge = [KeyValue::new("from", before.stage.clone()), KeyValue::new("to", time.stage.clone())];
                let name = format!("{} → {}", before.stage, time.stage);
                self.span(&name, edge.into(), [before.sent_ns, time.received_ns], &parent);
            }
            let attributes = vec![KeyValue::new("node", time.stage.clone()), KeyValue::new("drops", time.drops)];
            self.span(&time.stage, attributes, [time.received_ns, time.sent_ns], &parent);
        }
    }

    /// A span of those two times, in nanoseconds since the Unix epoch.
    fn span(&self, name: &str, attributes: Vec<KeyValue>, [from, to]: [i64; 2], parent: &Context) -> SpanContext {
        let builder = self.tracer.span_builder(name.to_owned()).with_kind(SpanKind::Internal);
        let builder = builder.with_start_time(time(from)).with_attributes(attributes);
        let mut span = builder.start_with_context(&self.tracer, parent);
        span.end_with_timestamp(time(to));
        span.span_context().clone()
    }
}

impl Drop for Traces {
    fn drop(&mut self) {
        // What a collector does not take by then is not worth waiting for.
        let _ = self.provider.shutdown_with_timeout(Duration::from_millis(200));
    }
}

fn time(nanoseconds: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_nanos(nanoseconds.max(0).unsigned_abs())
}

/// An exporter whose failures are said, the 1st, 2nd, 4th, 8th … one.
#[derive(Debug)]
struct Spoken {
    exporter: SpanExporter,
    failed: AtomicU64,
}

impl opentelemetry_sdk::trace::SpanExporter for Spoken {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let result = self.exporter.export(batch).await;
        if let Err(error) = &result {
            let failed = self.failed.fetch_add(1, Ordering::Relaxed) + 1;
            if failed.is_power_of_two() {
                tracing::warn!("traces do not reach DORA_OTLP_ENDPOINT ({failed} times so far): {error}");
            }
        }
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::{HeaderMap, HeaderValue, Response};
    use bytes::Bytes;
    use mirror_contract::{Painting, Stamp, Trace};
    use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
    use opentelemetry_proto::tonic::common::v1::KeyValue as Pair;
    use opentelemetry_proto::tonic::common::v1::any_value::Value;
    use prost::Message;
    use std::sync::{Arc, Mutex};
    use tokio::net::TcpListener;
    use tokio::time::timeout;

    #[derive(Debug, Clone, Default)]
    struct Kept(Arc<Mutex<Vec<SpanData>>>);

    impl opentelemetry_sdk::trace::SpanExporter for Kept {
        async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
            self.0.lock().expect("no test has panicked").extend(batch);
            Ok(())
        }
    }

    /// A picture that two stages have had, shown at 9500.
    fn shown(traces: &Traces) {
        let stage =
            |stage: &str, received_ns, sent_ns| StageTime { stage: stage.to_owned(), received_ns, sent_ns, drops: 0 };
        let stamp = Stamp { stream: "house".to_owned(), frame_id: 7, captured_ns: 1000 };
        let trace = Trace(vec![stage("encoder", 2000, 5000), stage("decoder", 5500, 9000)]);
        let [prompt, pack, provider] = ["neon lights", "starter", "CPU"].map(str::to_owned);
        let painting = Some(Painting { prompt, pack, provider, passthrough: false });
        traces.shown(&Header { trace, painting, ..Header::of(stamp) }, 9500);
    }

    /// The spans of that picture: name, from, to.
    const EXPECTED: [(&str, u64, u64); 4] =
        [("picture", 1000, 9500), ("encoder", 2000, 5000), ("encoder → decoder", 5000, 5500), ("decoder", 5500, 9000)];

    #[test]
    fn a_picture_is_one_trace_of_its_stages_and_the_edges_between_them() {
        let kept = Kept::default();
        let provider = SdkTracerProvider::builder().with_simple_exporter(kept.clone()).build();
        shown(&Traces::of(provider, None));
        let spans = kept.0.lock().expect("no test has panicked");
        let found: Vec<(&str, u64, u64)> = spans
            .iter()
            .map(|span| {
                let ns = |at: SystemTime| at.duration_since(UNIX_EPOCH).expect("after 1970").as_nanos() as u64;
                (&*span.name, ns(span.start_time), ns(span.end_time))
            })
            .collect();
        assert_eq!(found, EXPECTED);
        let whole = &spans[0].span_context;
        for span in &spans[1..] {
            assert_eq!((span.span_context.trace_id(), span.parent_span_id), (whole.trace_id(), whole.span_id()));
        }
    }

    /// What an exporter sends first (gRPC over HTTP/2: a byte that says whether it is compressed, four with its length, the
    /// message), and where to. It is answered as a collector does.
    async fn collect(listener: &TcpListener) -> (String, Vec<u8>) {
        let (socket, _) = listener.accept().await.expect("the exporter");
        let mut connection = h2::server::handshake(socket).await.expect("HTTP/2");
        let (request, mut respond) = connection.accept().await.expect("a request").expect("a whole one");
        // What comes of the body comes while the connection is looked after.
        tokio::spawn(async move { while let Some(Ok(_)) = connection.accept().await {} });
        let path = request.uri().path().to_owned();
        let (mut body, mut bytes) = (request.into_body(), Vec::new());
        while let Some(part) = body.data().await {
            bytes.extend(part.expect("a part of the body"));
        }
        let head = Response::builder().header("content-type", "application/grpc").body(()).expect("a head");
        let mut answer = respond.send_response(head, false).expect("somebody listens");
        answer.send_data(Bytes::from_static(&[0; 5]), false).expect("an empty message");
        let trailers = HeaderMap::from_iter([("grpc-status".parse().expect("a name"), HeaderValue::from_static("0"))]);
        answer.send_trailers(trailers).expect("the end");
        (path, bytes)
    }

    fn text<'a>(pairs: &'a [Pair], key: &str) -> Option<&'a str> {
        match pairs.iter().find(|pair| pair.key == key)?.value.as_ref()?.value.as_ref()? {
            Value::StringValue(text) => Some(text),
            _ => None,
        }
    }

    #[test]
    fn a_collector_gets_the_spans_of_a_picture_as_the_mirrors_with_their_parent() {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a thread");
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port");
        let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
        let traces = Traces::to(&endpoint).expect("an address").expect("traces");
        shown(&traces);
        let sent = runtime.block_on(async { timeout(Duration::from_secs(30), collect(&listener)).await });
        let (path, bytes) = sent.expect("a request in time");
        assert_eq!(path, "/opentelemetry.proto.collector.trace.v1.TraceService/Export");
        let length = u32::from_be_bytes([bytes[1], bytes[2], bytes[3], bytes[4]]) as usize;
        assert_eq!((bytes[0], length), (0, bytes.len() - 5), "one message, not compressed");
        let request = ExportTraceServiceRequest::decode(&bytes[5..]).expect("spans");
        assert_eq!(request.resource_spans.len(), 1);
        let resource = request.resource_spans[0].resource.as_ref().expect("who sends them");
        assert_eq!(text(&resource.attributes, "service.name"), Some("mirror"));
        let spans: Vec<_> = request.resource_spans[0].scope_spans.iter().flat_map(|scope| &scope.spans).collect();
        let found: Vec<(&str, u64, u64)> =
            spans.iter().map(|span| (&*span.name, span.start_time_unix_nano, span.end_time_unix_nano)).collect();
        assert_eq!(found, EXPECTED);
        let whole = spans[0];
        assert_eq!(
            (text(&whole.attributes, "prompt"), text(&whole.attributes, "stream")),
            (Some("neon lights"), Some("house"))
        );
        assert!(whole.parent_span_id.is_empty() && whole.trace_id.len() == 16 && whole.span_id.len() == 8);
        for span in &spans[1..] {
            assert_eq!((&span.trace_id, &span.parent_span_id), (&whole.trace_id, &whole.span_id), "{}", span.name);
        }
    }
}
