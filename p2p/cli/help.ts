/** What `teahouse --help` prints. */
export const helpText = `teahouse: audio rooms with a stage and an audience, end-to-end encrypted, with no server at all

  teahouse        [--no-open]
                  opens the window; with --no-open only its address is printed
  teahouse host   [--title T] [--open] [--via CARD…] [--audio FILE [--loop]]
                  makes a room and prints its invites; without --via this computer is the room's relay,
                  and people who are invited see its address; --open lists it, so that anybody can find it,
                  its title and its relays, and listen: a censor too
                  [--invite listener|speaker|moderator|heir…] [--invite-for 1h] [--single-use] [--with-passphrase]
                  prints an invite of each role that is named, on these terms; [--lock-after 10m]: then nobody comes in
  teahouse rooms  says which open rooms can be found from here
  teahouse listen INVITE [--low-data] [--lend]
                  listens until you press Ctrl-C; with --low-data to the low layer, at half the data;
                  with --lend it carries for others in the room, who then can see this computer's address
  teahouse speak  INVITE --audio FILE [--loop] [--lend]
                  raises a hand, and plays FILE when let on stage
  teahouse relay  [--announce MULTIADDR…] [--only] [--tls-cert F --tls-key F] [--decoy DIR]
                  carries rooms that it cannot read, and prints the card by which hosts reach it
  teahouse probe  INVITE
                  says what this network lets through, rung by rung

What relay and --lend give has limits: --max-children N, --max-kbps N, --hours 18:00-23:30 (of this computer's day).

Every command takes:
  --json                  one JSON object a line on stdout, nothing else there
  --for 20s|5m|1h         leaves by itself after that time
  --listen MULTIADDR…     where to listen, such as /ip4/0.0.0.0/tcp/443/tls/ws
  --bootstrap MULTIADDR…  nodes through which a room can be found without the invite's relays
  --profile lan|wss|webrtc|auto
  --proxy URL             goes through this proxy and no way beside it, such as socks5://127.0.0.1:9050 (Tor) or
                          http://user:password@host:port; in the environment variable TEAHOUSE_PROXY instead, its
                          password stays out of process lists
                          An invite's passphrase is read from the environment variable TEAHOUSE_PASSPHRASE
  --name TEXT             what others see beside your voice
  --data DIR              what may be kept is kept there, encrypted; nothing is written without it

An invite or card can also come on stdin, as "-", so that it stays out of process lists.
WAV, FLAC, MP3 and Ogg are read. Ctrl-C leaves the room properly; a second one leaves at once.

Exit codes: 0 done; 2 usage, damaged invite or card, port taken; 3 no way into the network, room not found;
4 refused; 5 input file unreadable; 70 our fault.
`;
