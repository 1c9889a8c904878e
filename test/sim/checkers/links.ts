import type { Observer, Violations } from "../observer.ts";

/** A machine uses only links that it has: after `link-closed` it neither sends on one nor closes it again. */
export class LinkChecker implements Observer {
  private readonly violations: Violations;

  constructor(violations: Violations) {
    this.violations = violations;
  }

  misused(node: number, what: string): void {
    this.violations.report("links", node, what);
  }
}
