import { networkInterfaces } from "node:os";
import type { EngineApi, EngineEvent, SpokenPacket, JoinOptions } from "../api/engine.ts";
import { TeahouseError } from "../api/errors.ts";
import type { HostSetup } from "../host.ts";
import { CertificateFiles } from "../io/site/certificate-files.ts";
import { folderSite } from "../io/site/folder.ts";
import { giveOut, termsOf } from "./inviting.ts";
import { keptSeed } from "./identity-store.ts";
import { live } from "./life.ts";
import type { ExitCode, Life } from "./life.ts";
import { wayOf } from "./options.ts";
import type { CommonOptions, HostRequest, ListenRequest, RelayRequest, SpeakRequest } from "./options.ts";
import { resolveCards, resolveInvite } from "./secrets.ts";
import type { CliWorld, Player } from "./world.ts";

/** After this long without an answer a raised hand is worth a sentence. */
const handPatienceMs = 30_000;

/** `teahouse host`: makes a room and keeps it until told to leave. */
export async function runHost(request: HostRequest, world: CliWorld): Promise<ExitCode> {
  const player = request.audio && (await world.openPlayer(request.audio.audio, request.audio.loop));
  const via = await resolveCards(request.via, world.stdin);
  for (const card of via) world.checkCard(card);
  const terms = termsOf(request.inviting, world);
  const ownRelay = via.length === 0;
  if (ownRelay) checkListening(request);
  const listen = ownRelay && request.listen.length === 0 ? everywhere() : request.listen;
  const engine = await world.createEngine(setupOf(request, { listen, dht: ownRelay ? "server" : "client" }));
  return live(engine, lifeOptions(request, world), async (life) => {
    if (ownRelay) note(world, "People you invite will see this computer's address.");
    await engine.host({
      via,
      letEverybodySpeak: true,
      ...(request.title === undefined ? {} : { title: request.title }),
      ...(request.name === undefined ? {} : { name: request.name }),
      ...(request.coreSize === undefined ? {} : { coreSize: request.coreSize }),
      ...(request.relayFanout === undefined ? {} : { relayFanout: request.relayFanout }),
    });
    if (request.open) {
      note(world, "Anybody can find this room, its title and its relays, and listen: a censor too.");
      await engine.act({ kind: "set-room", access: "open" });
    }
    await giveOut(engine, terms, world);
    lockLater(engine, request.inviting.lockAfterMs, life);
    life.arrived();
    if (player !== undefined) await speakUntilOver(engine, player, life);
    await life.over;
  });
}

/** Nobody comes in any more after this time. */
function lockLater(engine: EngineApi, afterMs: number | undefined, life: Life): void {
  if (afterMs === undefined) return;
  // What is refused is said by an event.
  const lock = (): void => void engine.act({ kind: "set-room", access: "locked" }).catch(() => undefined);
  const timer = setTimeout(lock, afterMs);
  void life.over.then(() => clearTimeout(timer));
}

/** `teahouse listen`: listens until told to leave. */
export async function runListen(request: ListenRequest, world: CliWorld): Promise<ExitCode> {
  const invite = await inviteOf(request.invite, world);
  const engine = await world.createEngine(setupOf(request, { listen: listenOf(request), dht: "client" }));
  return live(engine, lifeOptions(request, world), async (life) => {
    if (request.lowData) engine.preferLayer("low");
    await lend(engine, request, world);
    await engine.join(invite, joinOptionsOf(request, world));
    life.arrived();
    await life.over;
  });
}

/** `teahouse speak`: raises a hand, plays the file when let on stage, leaves at its end. */
export async function runSpeak(request: SpeakRequest, world: CliWorld): Promise<ExitCode> {
  const player = await world.openPlayer(request.audio.audio, request.audio.loop);
  const invite = await inviteOf(request.invite, world);
  const engine = await world.createEngine(setupOf(request, { listen: listenOf(request), dht: "client" }));
  const stage = new Stage(engine);
  return live(engine, lifeOptions(request, world), async (life) => {
    await lend(engine, request, world);
    await engine.join(invite, joinOptionsOf(request, world));
    life.arrived();
    if (!stage.isOurs) engine.raiseHand();
    const impatience = setTimeout(() => {
      note(world, "The hand is still up, and nobody has let you on stage yet; waiting on.");
    }, handPatienceMs);
    await Promise.race([stage.ours, life.over]);
    clearTimeout(impatience);
    if (stage.isOurs) await speakUntilOver(engine, player, life);
    engine.lowerHand();
  });
}

/** `teahouse relay`: carries rooms that it cannot read. */
export async function runRelay(request: RelayRequest, world: CliWorld): Promise<ExitCode> {
  checkListening(request);
  const tls = await tlsOf(request, world);
  const site = request.decoy === undefined ? undefined : await folderSite(request.decoy);
  const seed = request.data === undefined ? undefined : await keptSeed(request.data, world.passphrase);
  const listen = request.listen.length === 0 ? everywhere() : request.listen;
  const setup = setupOf(request, {
    listen,
    announce: request.announce,
    tls,
    seed,
    dht: request.only ? "client" : "server",
    blind: true,
    ...(site === undefined ? {} : { site }),
  });
  try {
    const engine = await world.createEngine(setup);
    return await live(engine, lifeOptions(request, world), async (life) => {
      await engine.volunteer({ only: request.only, ...request.limits });
      life.arrived();
      await life.over;
    });
  } finally {
    tls?.close();
  }
}

/** Whoever lends can be dialed: where it said, or everywhere. */
function listenOf(request: ListenRequest | SpeakRequest): readonly string[] {
  if (request.lend === undefined) return request.listen;
  checkListening(request);
  return request.listen.length === 0 ? everywhere() : request.listen;
}

/** Begins to carry for others in the room that is joined next. */
async function lend(engine: EngineApi, request: ListenRequest | SpeakRequest, world: CliWorld): Promise<void> {
  if (request.lend === undefined) return;
  note(world, "People in this room can see this computer's address.");
  await engine.lend(request.lend);
}

/** Who hides behind a proxy listens only where asked to. */
function checkListening(request: CommonOptions): void {
  if (request.proxy === undefined || request.listen.length > 0) return;
  throw new TeahouseError(
    "usage",
    "With --proxy this computer shows itself to nobody; say --listen where it may, or let others carry: host with --via, and do not --lend.",
  );
}

/** What every command makes an engine of, with what is its own. */
export function setupOf(request: CommonOptions, own: Partial<HostSetup>): HostSetup {
  const way = wayOf(request);
  return {
    ...(way === undefined ? {} : { way }),
    profile: request.profile,
    listen: request.listen,
    announce: [],
    bootstrap: request.bootstrap,
    tls: undefined,
    seed: undefined,
    blind: false,
    ...own,
    dht: request.dht ? (own.dht ?? "client") : "off",
  };
}

function lifeOptions(request: CommonOptions, world: CliWorld): Parameters<typeof live>[1] {
  return { printer: world.printer, interrupted: world.interrupted, forMs: request.forMs, usage: () => world.usage() };
}

/** As whom somebody joins; an invite may ask for the passphrase that the environment holds. */
function joinOptionsOf(request: CommonOptions, { passphrase }: CliWorld): JoinOptions {
  return { ...nameOf(request), ...(passphrase === undefined ? {} : { passphrase }) };
}

function nameOf(request: CommonOptions): { readonly name?: string } {
  return request.name === undefined ? {} : { name: request.name };
}

/** On every address this computer has, on a free port, inside TLS. */
function everywhere(): string[] {
  const families = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  // Listening on IPv6 fails as a whole where there is none.
  const hasIp6 = families.some(({ family }) => family === "IPv6");
  return ["/ip4/0.0.0.0/tcp/0/tls/ws", ...(hasIp6 ? ["/ip6/::/tcp/0/tls/ws"] : [])];
}

function note(world: CliWorld, message: string): void {
  world.printer.print({ event: "note", message });
}

/** The invite, checked: before any node is up that a network could see. */
export async function inviteOf(word: string, world: CliWorld): Promise<string> {
  const invite = await resolveInvite(word, world.stdin, (text) => isWhole(text, world));
  world.checkInvite(invite);
  return invite;
}

function isWhole(text: string, world: CliWorld): boolean {
  try {
    world.checkInvite(text);
    return true;
  } catch {
    return false;
  }
}

async function tlsOf(request: RelayRequest, world: CliWorld): Promise<CertificateFiles | undefined> {
  const { tlsCertificate: certificate, tlsKey: key } = request;
  if (certificate === undefined || key === undefined) return undefined;
  const files = await CertificateFiles.open({ certificate, key });
  if (files.isOutOfDate(Date.now())) {
    note(
      world,
      "The certificate of --tls-cert is not valid today: Teahouse works, but browsers warn visitors; renew it.",
    );
  }
  return files;
}

/** Plays the file to its end or to ours; no packets is a closed microphone. */
async function speakUntilOver(engine: EngineApi, player: Player, life: Life): Promise<void> {
  const playing = player.play((packet: SpokenPacket) => engine.speak(packet));
  const follow = (event: EngineEvent): void => {
    if (event.event === "strength") playing.setStrength(event.strength);
  };
  engine.snapshot().forEach(follow);
  const unfollow = engine.subscribe(follow);
  await Promise.race([playing.done, life.over]);
  unfollow();
  playing.stop();
}

/** Whether we may speak. */
class Stage {
  isOurs = false;
  readonly ours: Promise<void>;

  constructor(engine: EngineApi) {
    this.ours = new Promise((resolve) => {
      engine.subscribe((event: EngineEvent) => {
        if (event.event !== "role" && event.event !== "joined") return;
        this.isOurs = event.role !== "listener";
        if (this.isOurs) resolve();
      });
    });
  }
}
