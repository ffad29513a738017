// The crate `jsonschema` as bench/validate.c measures Firth: the same passes over the same file, the same line printed.
// Usage: bench-peer-jsonschema SCHEMA INSTANCES.jsonl
use serde_json::Value;
use std::{env, fs, hint::black_box};

const ROUNDS: usize = 7;

/// CPU time: other programs on the machine do not count.
fn now() -> u128 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut time) };
    time.tv_sec as u128 * 1_000_000_000 + time.tv_nsec as u128
}

fn best(passes: usize, mut pass: impl FnMut()) -> u128 {
    (0..passes)
        .map(|_| {
            let start = now();
            pass();
            now() - start
        })
        .min()
        .unwrap()
}

fn main() {
    let arguments: Vec<String> = env::args().collect();
    let schema_text = fs::read(&arguments[1]).unwrap();
    let file = fs::read(&arguments[2]).unwrap();
    let lines: Vec<&[u8]> = file.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).collect();
    let parse = |line: &[u8]| -> Value { serde_json::from_slice(line).unwrap() };
    let documents: Vec<Value> = lines.iter().map(|line| parse(line)).collect();

    // Parsing the schema counts, as it does for the others.
    let build = || {
        let schema = parse(&schema_text);
        jsonschema::options().should_validate_formats(false).build(&schema).unwrap()
    };
    let compile = best(ROUNDS, || {
        black_box(build());
    });
    let validator = build();
    let validate_all = || documents.iter().filter(|document| validator.is_valid(document)).count();

    let mut valid = 0;
    let cold = best(1, || valid = validate_all());
    let warm = best(ROUNDS, || {
        black_box(validate_all());
    });
    let parsed = best(ROUNDS, || {
        for line in &lines {
            black_box(parse(line));
        }
    });
    let both = best(ROUNDS, || {
        for line in &lines {
            black_box(validator.is_valid(&parse(line)));
        }
    });
    let count = lines.len() as u128;
    println!(
        "jsonschema-rs,{},{},{},{},{},{},{},{}",
        count,
        file.len(),
        compile,
        cold,
        warm / count,
        parsed / count,
        both / count,
        valid
    );
}
