//! Capture files, written by hand from the drafts of pcap and pcapng.

/// Byte order of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    Little,
    Big,
}

impl Order {
    fn u16(self, value: u16) -> [u8; 2] {
        if self == Self::Little { value.to_le_bytes() } else { value.to_be_bytes() }
    }

    pub(crate) fn u32(self, value: u32) -> [u8; 4] {
        if self == Self::Little { value.to_le_bytes() } else { value.to_be_bytes() }
    }

    fn u64(self, value: u64) -> [u8; 8] {
        if self == Self::Little { value.to_le_bytes() } else { value.to_be_bytes() }
    }
}

/// A pcap file that grows.
pub(crate) struct Pcap {
    pub(crate) order: Order,
    pub(crate) bytes: Vec<u8>,
}

impl Pcap {
    /// Begins a file; `magic` is 0xa1b2c3d4 for microseconds, 0xa1b23c4d for nanoseconds.
    pub(crate) fn new(order: Order, magic: u32, link: u32) -> Self {
        let zeros = [0; 8];
        let head = [&order.u32(magic)[..], &order.u16(2), &order.u16(4), &zeros, &order.u32(65_535), &order.u32(link)];
        Self { order, bytes: head.concat() }
    }

    /// Adds a whole packet.
    pub(crate) fn packet(&mut self, seconds: u32, fraction: u32, frame: &[u8]) {
        self.cut_packet(seconds, fraction, frame, frame.len());
    }

    /// Adds a packet of which `frame` was captured.
    pub(crate) fn cut_packet(&mut self, seconds: u32, fraction: u32, frame: &[u8], original: usize) {
        let head = [seconds, fraction, frame.len() as u32, original as u32].map(|value| self.order.u32(value));
        self.bytes.extend(head.as_flattened());
        self.bytes.extend(frame);
    }
}

/// A pcapng file that grows.
#[derive(Default)]
pub(crate) struct Pcapng {
    order: Option<Order>,
    pub(crate) bytes: Vec<u8>,
}

impl Pcapng {
    fn order(&self) -> Order {
        self.order.expect("a section was begun")
    }

    /// Adds any block.
    pub(crate) fn block(&mut self, kind: u32, content: &[u8]) {
        let order = self.order();
        let padding = content.len().next_multiple_of(4) - content.len();
        let length = order.u32((12 + content.len() + padding) as u32);
        self.bytes.extend([&order.u32(kind)[..], &length, content, &[0; 4][..padding], &length].concat());
    }

    /// Begins a section.
    pub(crate) fn section(&mut self, order: Order) {
        self.order = Some(order);
        let content = [&order.u32(0x1a2b_3c4d)[..], &order.u16(1), &order.u16(0), &[0xff; 8]].concat();
        self.block(0x0a0d_0d0a, &content);
    }

    /// Declares an interface; its clock counts microseconds from the epoch where nothing is said.
    pub(crate) fn interface(&mut self, link: u16, resolution: Option<u8>, offset_seconds: Option<i64>) {
        let order = self.order();
        let mut content = [&order.u16(link)[..], &order.u16(0), &order.u32(65_535)].concat();
        // if_name comes first, so that the others are not where a careless reader looks.
        content.extend([&order.u16(2)[..], &order.u16(5), b"eth-0\0\0\0"].concat());
        if let Some(resolution) = resolution {
            content.extend([&order.u16(9)[..], &order.u16(1), &[resolution, 0, 0, 0]].concat());
        }
        if let Some(offset) = offset_seconds {
            content.extend([&order.u16(14)[..], &order.u16(8), &order.u64(offset.cast_unsigned())].concat());
        }
        content.extend([0; 4]);
        self.block(1, &content);
    }

    /// Adds an Enhanced Packet Block with a comment.
    pub(crate) fn packet(&mut self, interface: u32, units: u64, frame: &[u8]) {
        let order = self.order();
        let (length, halves) = (frame.len() as u32, [(units >> 32) as u32, units as u32]);
        let head = [interface, halves[0], halves[1], length, length].map(|value| order.u32(value));
        let padding = frame.len().next_multiple_of(4) - frame.len();
        let comment = [&order.u16(1)[..], &order.u16(3), b"hi!\0", &[0; 4]].concat();
        self.block(6, &[head.as_flattened(), frame, &[0; 4][..padding], &comment].concat());
    }

    /// Adds a Packet Block of the old drafts, with a number of drops.
    pub(crate) fn obsolete_packet(&mut self, interface: u16, units: u64, frame: &[u8]) {
        let order = self.order();
        let (length, halves) = (frame.len() as u32, [(units >> 32) as u32, units as u32]);
        let head = [halves[0], halves[1], length, length].map(|value| order.u32(value));
        self.block(2, &[&order.u16(interface)[..], &order.u16(77), head.as_flattened(), frame].concat());
    }

    /// Adds a Simple Packet Block, which has no time.
    pub(crate) fn simple_packet(&mut self, frame: &[u8]) {
        let length = self.order().u32(frame.len() as u32);
        self.block(3, &[&length[..], frame].concat());
    }
}
