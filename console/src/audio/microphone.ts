/** capture → socket: the microphone with the browser's echo cancellation, as PCM16 at 24 kHz in pieces of 20 ms. */

import workletUrl from "./worklets/capture?worker&url";

export type MicrophoneFault = "denied" | "missing" | "busy" | "insecure" | "failed";

export class MicrophoneError extends Error {
  constructor(readonly fault: MicrophoneFault) {
    super(`microphone: ${fault}`);
  }
}

export class Microphone {
  private context: AudioContext | undefined;
  private stream: MediaStream | undefined;

  constructor(private readonly onPiece: (piece: Int16Array<ArrayBuffer>) => void) {}

  get on(): boolean {
    return this.stream !== undefined;
  }

  /** Asks for the microphone; call it from a click or a key. Throws `MicrophoneError`. */
  async start(): Promise<void> {
    if (this.stream) return;
    if (!navigator.mediaDevices) throw new MicrophoneError("insecure"); // no HTTPS and not localhost
    const audio = { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 };
    const stream = await navigator.mediaDevices.getUserMedia({ audio }).catch((error: unknown) => {
      throw new MicrophoneError(faultOf(error));
    });
    const context = new AudioContext({ latencyHint: "interactive" });
    try {
      await context.audioWorklet.addModule(workletUrl);
      const node = new AudioWorkletNode(context, "capture", { numberOfOutputs: 0, channelCount: 1, channelCountMode: "explicit" });
      node.port.onmessage = ({ data }: MessageEvent<Int16Array<ArrayBuffer>>) => this.onPiece(data);
      context.createMediaStreamSource(stream).connect(node);
      await context.resume();
    } catch (error) {
      stream.getTracks().forEach((track) => track.stop());
      await context.close();
      throw error;
    }
    [this.stream, this.context] = [stream, context];
  }

  async stop(): Promise<void> {
    const { stream, context } = this;
    this.stream = this.context = undefined;
    stream?.getTracks().forEach((track) => track.stop());
    await context?.close();
  }
}

function faultOf(error: unknown): MicrophoneFault {
  switch (error instanceof DOMException ? error.name : "") {
    case "NotAllowedError":
    case "SecurityError":
      return "denied";
    case "NotFoundError":
    case "OverconstrainedError":
      return "missing";
    case "NotReadableError":
    case "AbortError":
      return "busy";
    default:
      return "failed";
  }
}
