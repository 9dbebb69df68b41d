//! Whatever the text is, there is an answer: a plan or errors, never a panic.

use proptest::prelude::*;

use crate::graph::check;
use crate::graph::error::GraphErrorKind;
use crate::graph::shipped::SHIPPED;
use crate::graph::tests::catalogue::Catalogue;

#[test]
fn a_file_of_more_than_a_mebibyte_is_refused_unread() {
    let errors = check("big.toml", &" ".repeat((1 << 20) + 1), &Catalogue::new()).unwrap_err();
    let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(lines, ["big.toml:1: file of 1048577B is too big for a graph; it may have 1MiB"]);
}

#[test]
fn more_than_256_nodes_are_refused() {
    let node = |index| format!("[recording.n{index}]\nelement = \"tee\"\n");
    let text: String = (0..257).map(node).collect();
    let header = "graph = { content = \"audio\", channel = \"mixed\", format = \"wav\" }\n";
    let errors = check("many.toml", &format!("{header}{text}"), &Catalogue::new()).unwrap_err();
    let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(lines, ["many.toml:514: 257 nodes are too many; a graph may have 256"]);
    let text: String = (0..256).map(node).collect();
    let errors = check("many.toml", &format!("{header}{text}"), &Catalogue::new()).unwrap_err();
    assert!(!errors.iter().any(|error| matches!(error.kind, GraphErrorKind::TooManyNodes { .. })));
}

#[test]
fn a_megabyte_of_nonsense_is_answered() {
    let mebibyte = 1 << 20;
    for piece in ["[", "[a.", "x", "= ", "[recording.a]\n", "a.", "\"", "{a=", "@\n", "\u{fffd}", "[[recording.a]]\n"] {
        let text = piece.repeat(mebibyte / piece.len());
        assert!(check("nonsense.toml", &text, &Catalogue::new()).is_err(), "{piece:?}");
    }
    let inputs = format!("[recording.a]\nelement = \"reelmixer\"\ninputs = [{}]", "\"zzzz\",".repeat(100_000));
    let errors = check("nonsense.toml", &inputs, &Catalogue::new()).unwrap_err();
    let too_many = GraphErrorKind::TooManyInputs { inputs: 100_000, max: 64 };
    assert!(errors.iter().any(|error| error.kind == too_many));
}

/// What a graph is made of, so that random texts get past the first rules.
const WORDS: [&str; 34] = [
    "\n[participant.decode]\n",
    "\n[recording.mix]\n",
    "\n[recording.split]\n",
    "\n[chunk.file]\n",
    "\n[chunk.a]\n",
    "element = ",
    "inputs = ",
    "caps = ",
    "properties = ",
    "limits = ",
    "\"reelmixer\"",
    "\"reelgate\"",
    "\"reelsplit\"",
    "\"reelsink\"",
    "\"tee\"",
    "\"oggmux\"",
    "\"audiomixer\"",
    "[\"mix\"]",
    "[\"decode\"]",
    "[\"split\", \"split.src_1\"]",
    "{ \"sink_%u\" = \"decode\", timeline = \"@timeline\" }",
    "{ sink_0 = \"mix.src_0\" }",
    "[\"@audio\"]",
    "[\"file\"]",
    "{ latency = 1.5 }",
    "{ bitrate = 99999999999999999999999999999999999999999 }",
    "\"audio/x-raw,rate=1\"",
    "\"4h\"",
    "{ max-size = \"1B\" }",
    "\n",
    "{",
    "}",
    "[",
    "\u{1F600}",
];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = check("random.toml", &String::from_utf8_lossy(&bytes), &Catalogue::new());
    }

    #[test]
    fn random_words_never_panic(words in prop::collection::vec(0..WORDS.len(), 0..60)) {
        let text: String = words.into_iter().map(|index| WORDS[index]).collect();
        let _ = check("random.toml", &text, &Catalogue::new());
    }

    /// Lines are left out, doubled or swapped, and a character is replaced: errors of real authors.
    #[test]
    fn mutated_graphs_never_panic(
        graph in 0..SHIPPED.len(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0..3_u8, any::<prop::sample::Index>()), 1..6),
        character in (any::<prop::sample::Index>(), any::<char>()),
    ) {
        let mut lines: Vec<&str> = SHIPPED[graph].text.lines().collect();
        for (at, edit, other) in edits {
            let (at, other) = (at.index(lines.len()), other.index(lines.len()));
            match edit {
                0 if lines.len() > 1 => drop(lines.remove(at)),
                1 => lines.insert(at, lines[other]),
                _ => lines.swap(at, other),
            }
        }
        let mut text: Vec<char> = lines.join("\n").chars().collect();
        let position = character.0.index(text.len());
        text[position] = character.1;
        let text: String = text.into_iter().collect();
        match check("mutated.toml", &text, &Catalogue::new()) {
            Ok(plan) => prop_assert!(plan.nodes.iter().enumerate().all(|(place, node)| node.id.0 == place)),
            Err(errors) => {
                prop_assert!(!errors.is_empty());
                prop_assert!(errors.is_sorted_by_key(|error| error.place.line));
                let lines = text.split('\n').count();
                prop_assert!(errors.iter().all(|error| (1..=lines).contains(&error.place.line)));
            }
        }
    }
}
