import type { WillisError } from '../base/errors.js';
import type { BodyDecoder } from '../http/body-decoder.js';
import type { ResponseBody } from './response-body.js';
import type { Upload } from './upload.js';
import type { ForwardOptions, IncomingResponse, OutgoingRequest } from './upstream.js';

/** One request to an origin server and its response, as far as they have come. */
export class OriginExchange {
  continueTimer: NodeJS.Timeout | undefined = undefined;
  interim = 0;
  headReceived = false;
  /** Set when the head of the final response has come. */
  body: ResponseBody | null = null;
  decoder: BodyDecoder | null = null;
  untilClose = false;
  persistent = false;

  constructor(
    readonly request: OutgoingRequest,
    readonly options: ForwardOptions,
    readonly upload: Upload | null,
    readonly resolve: (response: IncomingResponse) => void,
    readonly reject: (error: WillisError) => void,
  ) {}
}
