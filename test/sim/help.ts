import { baselineNames } from "./options.ts";

/** What `npm run sim -- --help` prints. */
export const simHelp = `npm run sim -- [--listeners 200] [--seconds 60] [--seed 1] [--relays 0.1] [--topology global] [--json] [--svg FILE] …
A room by the hundred or thousand in virtual time, beside other trees for the same people; everything follows from the seed.
The room
  --listeners N --seconds N      people, and virtual seconds
  --seed S                       anything; the same one plays the same run
  --relays 0.1                   how many lend, for each listener
  --core N                       relays at the top
  --speakers 2 --packet-ms 40    who speaks beside the host; a packet each so often, rarer where only the tree matters
  --drawn                        what is not said here is drawn from the seed
  --real-crypto                  the real primitives instead of quick ones
The network
  --topology regional|global     where people are
  --uplinks ample|tailed         what those who lend allow: enough for all, or as drawn from a heavy tail
  --loss 0.01 --nat 0.3          share of messages lost on a link; share of pairs that cannot connect directly
People
  --join-seconds N               within so long the first audience comes in
  --churn 5                      joins and leaves a second
  --sessions 1                   how long they stay: 1 as people do, 0.1 a tenth of that, 0 to the end
  --flash 1500@10/60             people who come at once: how many, from which second, within how long
  --suspend 0.1@20+5             laptops that close: share, second, length
Blows
  --kill 0.1@30                  a share of those who lend, "one" or "host", at a second; may be repeated
  --silent 0.3                   share of the dead whose connections are not reset
  --partition 0.3@20+10          a share is cut off from the rest: second, length
  --rule freeze:16000@20         a censor's: freeze and bytes, reset and seconds, block and a share of the relays, or udp
  --hostile 0.1                  share of those who lend that break the rules
What is printed
  --baseline ${baselineNames.join("|")}
  --json                         lines of JSON
  --svg FILE                     draws the tree, and how well each was heard over time
Exit codes: 0 done; 1 something that must hold did not; 2 usage.`;
