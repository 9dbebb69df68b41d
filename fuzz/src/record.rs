//! Any bytes as what is kept beside a document: read to the end or refused, and what was read is read so again.

use reelgraph::model::ChunkId;
use reelgraph::storage::Record;

/// The fourth chunk of recording 7: what says so may be its record.
const DOCUMENT: ChunkId = ChunkId(uuid::Uuid::from_u128(0xc660c6eb_c2f5_570e_85a7_3f59d6e9a61b));

pub(crate) fn run(bytes: &[u8]) {
    let Ok(record) = Record::read(DOCUMENT, bytes) else { return };
    assert_eq!((record.document, record.index), (DOCUMENT, 3));
    assert_eq!(Record::read(DOCUMENT, &record.to_bytes()).ok(), Some(record));
}
