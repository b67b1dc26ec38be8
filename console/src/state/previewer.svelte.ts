/** Lets one voice at a time say a sentence. */

import { request } from "../api";
import { locale } from "../i18n/i18n.svelte";

class Previewer {
  /** The voice that is being fetched or played. */
  voice = $state("");
  language: "en" | "zh" | "ja" = $state(locale.language);
  private readonly audio = new Audio();
  private asked = 0;

  async toggle(voice: string): Promise<void> {
    if (this.voice === voice) return this.stop();
    this.stop();
    const asked = ++this.asked;
    this.voice = voice;
    try {
      const answer = await request(`v1/audio/voices/${encodeURIComponent(voice)}/preview`, { query: { language: this.language } });
      await this.play(await answer.blob(), asked);
    } catch (error) {
      if (asked === this.asked) this.voice = "";
      throw error;
    }
  }

  stop(): void {
    this.asked++;
    this.audio.pause();
    this.voice = "";
  }

  private async play(sound: Blob, asked: number): Promise<void> {
    if (asked !== this.asked) return;
    const url = URL.createObjectURL(sound);
    this.audio.src = url;
    this.audio.onended = this.audio.onpause = () => {
      URL.revokeObjectURL(url);
      if (asked === this.asked) this.voice = "";
    };
    await this.audio.play();
  }
}

export const previewer = new Previewer();
