import type { Milliseconds } from '../../config/units.js';
import type { WillisError } from '../base/errors.js';
import type { BodyDecoder } from '../http/body-decoder.js';
import { Fields } from '../http/fields.js';
import type { ResponseBody } from './response-body.js';
import type { Upload } from './upload.js';
import type { ForwardOptions, IncomingResponse, OutgoingRequest } from './upstream.js';

/** One request to an origin server and its response, as far as they have come. */
export class OriginExchange {
  interim = 0;
  headReceived = false;
  /** Set when the head of the final response has come. */
  body: ResponseBody | null = null;
  decoder: BodyDecoder | null = null;
  untilClose = false;
  persistent = false;
  #continueTimer: NodeJS.Timeout | undefined = undefined;
  #onUploadFailed: (error: unknown) => void = () => undefined;

  constructor(
    readonly request: OutgoingRequest,
    readonly options: ForwardOptions,
    readonly upload: Upload | null,
    readonly resolve: (response: IncomingResponse) => void,
    readonly reject: (error: WillisError) => void,
  ) {}

  /**
   * Sends the content: at once, or, if the client waits to be told so, when the origin server says that it wants it. One
   * that knows nothing of expectations says nothing: after so long it is sent all the same (RFC 9110 §10.1.1).
   */
  beginUpload(continueTimeout: Milliseconds, onFailed: (error: unknown) => void): void {
    this.#onUploadFailed = onFailed;
    if (this.request.expectContinue === true) {
      this.#continueTimer = setTimeout(() => this.continue(), continueTimeout);
    } else this.#startUpload();
  }

  /** Sends the content that waits for this, and tells the client. */
  continue(): void {
    if (this.#continueTimer === undefined) return;
    this.endWaiting();
    this.options.onInformational?.(100, Fields.none);
    this.#startUpload();
  }

  /** Content that still waits is not sent. */
  endWaiting(): void {
    if (this.#continueTimer === undefined) return;
    clearTimeout(this.#continueTimer);
    this.#continueTimer = undefined;
  }

  #startUpload(): void {
    this.upload?.run().catch(this.#onUploadFailed);
  }
}
