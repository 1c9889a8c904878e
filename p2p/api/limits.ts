/**
 * Every limit of the system, each with its reason. Sizes in bytes, times in milliseconds.
 */
export const limits = {
  /** One SCTP DATA chunk in a 1,280-byte IPv6 packet with DTLS: a larger message would be fragmented. */
  linkMessageBytesMax: 1150,
  /** Messages that may wait for a slow link: five 40 ms ticks; what is older than 200 ms is better asked for again. */
  linkQueueMessagesMax: 64,
  /** Bytes handed to a transport but not yet on the wire, above which messages wait in our own queue and the oldest falls. */
  linkBufferedBytesMax: 65_536,
  /** The longest binary multiaddr we accept: a DNS name of 253 characters with port, TLS and WebSocket. */
  multiaddrBytesMax: 280,
  /** Addresses in one card. */
  cardAddressesMax: 4,
  /** Relay hints in one invite: three to five, so that a leaked invite burns few relays. */
  inviteHintsMax: 5,
  /** Characters of an invite or card that are looked at at all. */
  inviteCharactersMax: 4096,
  /** Speech in one packet. 40 ms halves the datagrams and signatures of 20 ms. */
  packetMs: 40,
  /** Frames are 20 ms of speech in every count. */
  frameMs: 20,
  /** Opus bytes in one packet: 40 ms at 64 kbit/s; we send 120 (24 kbit/s). */
  opusBytesMax: 320,
  /** Speakers whose voice keys a relay view may hold: the stage, with room to change. */
  voicesMax: 32,
  /** How long no view names a voice key before it is published: a relay that heard of no view for so long has forgotten the room. */
  voiceRetireMs: 10 * 60_000,
  /** Published voice keys that are kept, and shown to who comes: as many as a stage holds. */
  retiredVoicesMax: 32,
  /** Relays that a relay view may name. */
  relaysMax: 24,
  /** Capability chains: root, session or invite, person. */
  capabilityDepthMax: 3,
  /** A host session and whatever it signs. */
  hostSessionMsMax: 24 * 3_600_000,
  /** Packets of one voice, up to the newest, whose arrival is remembered: 5 s, more than any ring replays. */
  replayWindowPackets: 128,
  /** Packets a second that one voice may send. */
  voicePacketsPerSecond: 25,
  /** Seconds' worth of them that may come at once: two that a new parent replays, and one while it does. */
  voiceBurstSeconds: 3,
  /** Ticks that a voice may jump ahead at once: ten minutes of a stalled speaker. */
  packetsAheadMax: 15_000,
  /** How long packets of the epoch before still pass: a new view needs a second to reach every speaker, then one tick. */
  epochGraceMs: 2000,
  /** Bans that a relay view may hold; older ones fall out of it when a new epoch has made them moot. */
  bansMax: 256,
  /** How wrong a relay's clock may be before it refuses a room: a day, a time zone and a summer hour set wrong. */
  clockToleranceMs: 26 * 3_600_000,
  /** Connections of a relay: 200 and more children of a large one, their DHT and the core. An idle one costs some 60 KiB. */
  relayConnectionsMax: 600,
  /**
   * And of one network address, an IPv6 network of 64 bits being one. Whole towns sit behind an address of their provider, so this
   * is wide: it only keeps a quarter of a relay free of whoever fills the rest from one place.
   */
  relayConnectionsOfAddressMax: 450,
  /** Bytes that a link may bring before it is anybody's edge: a hello with proof takes 500, and may be repeated. */
  openingBytesMax: 4096,
  /** Bytes kept for a peer before it has proved anything. */
  unauthenticatedBytesMax: 65_536,
  /** Members that hold keys of one room: eight times the largest room that the design names. A power of two. */
  keyLeavesMax: 65_536,
  /** Where open rooms are listed: as many as a reader asks for in ten seconds, eight at once. */
  hallPlaces: 48,
  /** What a place there costs in an hour: 2^18 hashes, half a second of a core, so that nobody fills all of them by the way. */
  hallWorkBits: 18,
  /** The hour before is asked about as well while the new one fills: as long as two listings are apart. */
  hallOverlapMs: 12 * 60_000,
  /** Open rooms that one search finds: one for each place of two hours. A longer list nobody reads, and a window takes no more. */
  hallRoomsMax: 96,
  /** Rooms of one place that a search looks at: several nodes keep it, and one of them may say what it likes. */
  hallRoomsAPlaceMax: 4,
  /** DHT record value, padded to this size so that it says nothing about its content. */
  recordBytes: 1024,
} as const;
