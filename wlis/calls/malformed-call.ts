import { CallProblem } from './call-problem.js';

/** For what no honest caller asks. */
export const malformedCall = (fault: string): CallProblem => new CallProblem(400, 'malformed-call', fault);
