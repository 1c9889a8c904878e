import { fromInside, sound, type Rule } from "./rule.ts";

/**
 * Where it looks, in bits from the start of UDP's header (8 bytes): a record's header is 13 bytes, a handshake message
 * begins with its type and its length.
 */
const recordType = "@th,64,8";
const messageType = "@th,168,8";
const messageLength = "@th,176,24";
/** A hello of DTLS 1.3 with Chromium's post-quantum share is above 1,200 bytes, every other one measured below 300. */
const browserHelloBytesMin = 600;

/** What Russia did to Snowflake in 2022 and to pion in 2026. */
export const dtls: Rule = {
  name: "dtls",
  about: "DTLS passes only with a browser's hello, sent by who is inside, and without a cookie request",
  statements: [
    `meta l4proto udp ${recordType} 22 ${messageType} 3 drop`,
    `meta l4proto udp ${recordType} 22 ${messageType} 1 ${messageLength} < ${browserHelloBytesMin} drop`,
    `meta l4proto udp ${recordType} 22 ${messageType} 1 ${fromInside.replace("iifname", "iifname !=")} drop`,
  ],
  start: sound,
  midroom: sound,
};
