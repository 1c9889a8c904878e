/** A parent that has nothing to forward says so this often: media is the heartbeat, and this stands in for it. */
export const tickMsDown = 200;
/** A neighbour above that gives no media, and is not asked for any, says so this often: it is only there in case. */
export const tickMsStandby = 1000;
/** A child says it lives this often. */
export const tickMsUp = 2000;
/** Silence from above after which a link is given up: five ticks. */
export const silenceMsUp = 1000;
/** The same of a standby, in its rarer ticks. */
export const silentTicksStandby = 4;
/** Silence of a data channel beside a live stream after which it is given up: ticks on it may be lost. */
export const silenceMsDatagrams = 900;
/** A link that is idle while another carries everything says this often that it lives. */
export const tickMsIdle = 1000;
/** Silence of a stream beside a live data channel after which it is given up: four such ticks, and within the 5 s of [SS7]. */
export const silenceMsStream = 4000;
/** On an edge that asked for no media and few bytes, ticks and silence are as slow as upwards. */
export const silenceMsQuiet = 8000;
/** But what we sent there is answered within this time: five of the longest round trips. */
export const answerMsQuiet = 2000;
/**
 * How long the dialing side tries to get a session without a link back: a little less than the far end keeps it
 * (`silenceMsDown`, of which a tick upwards may have taken 2 s).
 */
export const resumeMs = 8000;
/** The far end keeps the place of somebody who is away this long: two seconds are replayed, one is mercy. Then it is anybody's. */
export const placeMs = 3000;
/** Silence from below after which a child's slot is given to somebody else. */
export const silenceMsDown = 10_000;
/** When one link was lost, the others must show within this time that the far end lives: it may be its process that died. */
export const proofMs = 300;
/** An unanswered `attach` is repeated this often: the frame may be lost. */
export const attachMs = 300;
/** And at most so many times. */
export const attachesMax = 8;
