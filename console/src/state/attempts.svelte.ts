import { messageOf } from "../api";

/** What a view has tried last: its failure in words, or nothing. */
export class Attempts {
  failed = $state("");

  /** Do `work`; what goes wrong is told in `failed`. */
  async run(work: () => Promise<unknown>): Promise<void> {
    this.failed = "";
    try {
      await work();
    } catch (error) {
      this.failed = messageOf(error);
    }
  }
}
