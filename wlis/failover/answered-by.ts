export type { AnsweredBy } from '../../proxy/forward/answered-by.js';
