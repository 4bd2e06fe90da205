//! The function in Lambda: fetches from S3, writes a line a finding, and keeps them in a bucket if one is named.

use std::path::Path;

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use lawbook::policy::{Checked, Overrides, Pack};
use lawbook::report::one_line;
use lawbook::script::{Limits, Metered};
use lawbook_lambda::{Judged, handle};
use serde_json::Value;
use tokio::runtime::Handle;
use tokio::task::block_in_place;

/// Scripts get a limit of memory by it.
#[global_allocator]
static ALLOCATOR: Metered = Metered;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let config = aws_config::load_defaults(aws_config::BehaviorVersion::latest()).await;
    let client = Client::new(&config);
    let packs = packs()?;
    let results = std::env::var("LAWBOOK_RESULTS_BUCKET").ok().filter(|bucket| !bucket.is_empty());
    let (client, packs, results) = (&client, &packs, results.as_deref());
    run(service_fn(|event: LambdaEvent<Value>| async move { answer(&event.payload, packs, client, results) })).await
}

/// The policies: those of a folder in the package, or the embedded ones. Without any the function does not start.
fn packs() -> Result<Checked, Error> {
    let pack = match std::env::var_os("LAWBOOK_PACK") {
        Some(folder) => Pack::from_folder(Path::new(&folder))?,
        None => Pack::embedded(),
    };
    pack.load(&Overrides::default(), &Limits::default())
        .map_err(|mistakes| lawbook::report::diagnostic::draw(&mistakes, false).into())
}

fn answer(event: &Value, packs: &Checked, client: &Client, results: Option<&str>) -> Result<Value, Error> {
    // The engine is not asynchronous; there is one event at a time.
    block_in_place(|| {
        let runtime = Handle::current();
        let mut answer = handle(event, packs, |bucket, key| runtime.block_on(fetch(client, bucket, key)));
        for judged in answer.judged.clone() {
            for row in judged.findings.iter().chain(&judged.others) {
                println!("{}", one_line(row));
            }
            if let Some(bucket) = results
                && let Err(reason) = runtime.block_on(keep(client, bucket, &judged))
            {
                answer.fail(&judged.object, reason);
            }
        }
        for failure in &answer.failures {
            eprintln!("error: {failure}");
        }
        answer.response().map_err(Error::from)
    })
}

async fn fetch(client: &Client, bucket: &str, key: &str) -> Result<Vec<u8>, String> {
    let told = |error: &dyn std::fmt::Display| format!("cannot be fetched: {error}");
    let object = client.get_object().bucket(bucket).key(key).send().await;
    let object = object.map_err(|error| told(&aws_sdk_s3::error::DisplayErrorContext(&error)))?;
    let bytes = object.body.collect().await.map_err(|error| told(&error))?;
    Ok(bytes.to_vec())
}

/// Keeps what an object came to under a name that is made of its own: trying again writes the same there.
async fn keep(client: &Client, bucket: &str, judged: &Judged) -> Result<(), String> {
    if judged.object.bucket == bucket {
        return Err(
            "findings are not kept in the bucket that they are about: the function would call itself".to_owned()
        );
    }
    let rows: Vec<&Value> = judged.findings.iter().chain(&judged.others).collect();
    if rows.is_empty() {
        return Ok(());
    }
    let text: String = rows.into_iter().map(|row| one_line(row) + "\n").collect();
    let key = format!("findings/{}/{}.ndjson", judged.object.bucket, judged.object.key);
    let put = client.put_object().bucket(bucket).key(key).content_type("application/x-ndjson");
    let sent = put.body(ByteStream::from(text.into_bytes())).send().await;
    sent.map(|_| ())
        .map_err(|error| format!("findings cannot be kept: {}", aws_sdk_s3::error::DisplayErrorContext(&error)))
}
