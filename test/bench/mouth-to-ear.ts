import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import { millis } from "../../p2p/api/ids.ts";
import { buildWindow, isBuildStale } from "../../p2p/cli/window-build.ts";
import { parseCard } from "../../p2p/core/room/invite/card.ts";
import { encodeInvite, parseInvite } from "../../p2p/core/room/invite/invite.ts";
import { createCrypto } from "../../p2p/io/crypto.ts";
import { fixturePath, readAudio } from "../audio/sounds.ts";
import type { TeahouseProcess } from "../e2e/processes.ts";
import { Processes } from "../e2e/rooms.ts";
import { forget, recorded, takeRecording } from "../e2e/window/tap.ts";
import { addressOf, FakePerson } from "../e2e/window/windows.ts";
import { type Delay, delayBetween } from "./delay.ts";
import { type Figure, figureOf } from "./figure.ts";
import type { BenchPage } from "./page/page.ts";
import { servePage } from "./pages.ts";
import { forgetStages, type Stages, stagesBetween, watchStages } from "./stages.ts";

declare const bench: BenchPage;

/** Links from the mouth's engine to the ear's. */
const depth = 4;
const relays = depth - 1;
/** A tree that has not settled by then will not. */
const placeMsMax = 60_000;
/** Until jitter buffers and whatever else adapts have settled. */
const settleMs = 8000;
/** What is measured. */
const measuredMs = 15_000;
const shapedShell = fileURLToPath(new URL("./shaped-shell.ts", import.meta.url));
const naiveHop = fileURLToPath(new URL("./naive-hop.ts", import.meta.url));

/** One way from a mouth to an ear. */
interface Way {
  readonly delay: Delay;
  readonly hops: number;
  /** Unknown of a call, which is all inside the browser. */
  readonly stages: Stages | undefined;
}

/** T11: through our tree, by a direct call, and through a tree that decodes and encodes, all with the same browsers. */
export async function measureMouthToEar(): Promise<readonly Figure[]> {
  if (await isBuildStale()) await buildWindow();
  const speech = await readAudio(fixturePath("speech.flac"));
  const ours = await between(speech, throughOurs);
  const direct = await between(speech, byCall);
  const naive = await between(speech, throughNaive);
  const hops = ours.hops;
  const stages = (way: Way, whose: string): Record<string, number> =>
    Object.fromEntries(Object.entries(way.stages ?? {}).map(([stage, ms]) => [`${whose} ${stage}`, ms]));
  return [
    figureOf({
      id: "T11",
      what: "mouth to ear, ms, from browser to browser over our tree ÷ a direct WebRTC call",
      goal: 1.5,
      better: "less",
      sides: { ours: ours.delay.ms, baseline: direct.delay.ms, hops, ...stages(ours, "our") },
    }),
    figureOf({
      id: "T11",
      what: "mouth to ear, ms, from browser to browser over our tree ÷ a tree that decodes and encodes at each hop",
      goal: 0.5,
      better: "less",
      sides: { ours: ours.delay.ms, baseline: naive.delay.ms, hops, ...stages(naive, "its") },
    }),
  ];
}

/** Two browsers and whatever processes a way needs, all ended afterwards. */
async function between(
  speech: Float32Array,
  lead: (mouth: FakePerson, ear: FakePerson, processes: Processes) => Promise<Led>,
): Promise<Way> {
  const processes = new Processes();
  const [mouth, ear] = await Promise.all([FakePerson.start(speech, { mouth: true }), FakePerson.start(speech)]);
  try {
    await Promise.all([watchStages(mouth.context), watchStages(ear.context)]);
    const led = await lead(mouth, ear, processes);
    await recorded(led.ear, settleMs);
    await Promise.all([led.ear, led.mouth].flatMap((page) => [forget(page), forgetStages(page)]));
    await recorded(led.ear, measuredMs);
    const [said, heard] = await Promise.all([takeRecording(led.mouth, "mouth"), takeRecording(led.ear, "ear")]);
    const delay = delayBetween(said, heard);
    if (delay === undefined)
      throw new Error(`${lead.name}: the ear did not hear what the mouth said; is the machine busy?`);
    const stages = led.isOurSound ? await stagesBetween(led.mouth, led.ear, delay.ms) : undefined;
    // The figures come when all is measured: what broke off before is not lost.
    console.error(`${lead.name}: ${delay.ms} ms, ${JSON.stringify(stages ?? {})}`);
    return { delay, hops: led.hops(), stages };
  } finally {
    await Promise.all([mouth.end(), ear.end(), processes.end()]);
  }
}

/** Sound that is on its way. */
interface Led {
  readonly mouth: Page;
  readonly ear: Page;
  hops(): number;
  /** Whether the window's own capture and playout are at its ends. */
  readonly isOurSound: boolean;
}

/** Two windows, the host's and a listener's, at the ends of a chain of relays. */
async function throughOurs(mouth: FakePerson, ear: FakePerson, processes: Processes): Promise<Led> {
  // Who listens chooses its parent by delay, which is the same everywhere on one machine: relays above the last one have
  // room for one listener, and get one, so that the ear finds a place at the foot only.
  const cards = await Promise.all(
    Array.from({ length: relays }, async (_, rank) => {
      const limit = rank < relays - 1 ? ["--max-children", "1"] : [];
      return (await processes.relay("--no-dht", ...limit)).card;
    }),
  );
  const shaped = processes.start([], { script: shapedShell });
  const speaking = await mouth.open(await addressOf(shaped));
  const shell = processes.start(["--no-open", "--no-dht"]);
  const listening = await ear.open(await addressOf(shell));
  await speaking.makeRoom("Depth", cards, "Mouth");
  await shaped.next("members", (line) => line["relays"] === relays);
  const invite = await speaking.invite();
  await speaking.button("bar.unmute").click();
  for (const card of cards.slice(0, -1)) {
    await processes.start(["listen", leadingTo(invite, card), "--no-dht"]).next("sound");
  }
  await listening.join(leadingTo(invite, cards.at(-1) ?? ""), "Ear");
  await stands(shell);
  return {
    mouth: speaking.page,
    ear: listening.page,
    hops: () => Number(shell.last("stats")?.["hops"]),
    isOurSound: true,
  };
}

/** The same invite with one hint: the relay whose card this is. */
function leadingTo(text: string, cardText: string): string {
  const crypto = createCrypto();
  const [invite, card] = [parseInvite(crypto, text), parseCard(crypto, cardText, millis(Date.now()))];
  if (!invite.ok || !card.ok) throw new Error("The bench cannot read its own invite or card.");
  return encodeInvite(crypto, { ...invite.value, hints: [card.value.address] });
}

/** Resolves once sound comes to a window over as many links as are wanted. */
async function stands(shell: TeahouseProcess): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    const tell = (): void => {
      const hops = String(shell.last("stats")?.["hops"]);
      reject(new Error(`The ear stands ${hops} links from the mouth, not ${depth}; is the machine busy?`));
    };
    timer = setTimeout(tell, placeMsMax);
  });
  const placed = shell.next("stats", (line) => line["hops"] === depth);
  // When it is late, the process's end is no news.
  placed.catch(() => undefined);
  await Promise.race([placed, late]);
  clearTimeout(timer);
}

/** One browser calls the other. */
async function byCall(mouth: FakePerson, ear: FakePerson): Promise<Led> {
  const served = await servePage();
  try {
    const [calling, called] = await Promise.all([opened(mouth, served.address), opened(ear, served.address)]);
    const offer = await calling.evaluate(() => bench.offer());
    const answer = await called.evaluate((it) => bench.answer(it), offer);
    await calling.evaluate((it) => bench.accept(it), answer);
    return { mouth: calling, ear: called, hops: () => 1, isOurSound: false };
  } finally {
    await served.stop();
  }
}

/** As many relays as ours, each of which decodes, waits and encodes. */
async function throughNaive(mouth: FakePerson, ear: FakePerson, processes: Processes): Promise<Led> {
  const served = await servePage();
  try {
    const urls: string[] = [];
    for (let hop = 0; hop < relays; hop += 1) {
      const above = urls.at(-1);
      const child = processes.start(above === undefined ? [] : [`${above}/out`], { script: naiveHop });
      urls.push(`ws://127.0.0.1:${String((await child.next("ready"))["port"])}`);
    }
    const [speaking, listening] = await Promise.all([opened(mouth, served.address), opened(ear, served.address)]);
    await listening.evaluate((url) => bench.hearFrom(url), `${urls.at(-1)}/out`);
    await speaking.evaluate((url) => bench.speakTo(url), `${urls[0]}/in`);
    return { mouth: speaking, ear: listening, hops: () => depth, isOurSound: true };
  } finally {
    await served.stop();
  }
}

/** The page, clicked once: sound may come out. */
async function opened(person: FakePerson, address: string): Promise<Page> {
  const { page } = await person.open(address);
  await page.getByRole("button").click();
  return page;
}
