import { setTimeout as pause } from 'node:timers/promises';
import type { Chance } from './chance.js';
import { faults, type Fault, type Patient } from './patient.js';

export interface MisfortuneOptions {
  readonly patients: readonly Patient[];
  readonly chance: Chance;
  /** Fulfilled when it is well again. @throws Error if that takes too long */
  readonly recovered: (patient: Patient) => Promise<void>;
  readonly onFall: (patient: Patient, fault: Fault) => void;
  readonly onRise: (patient: Patient, fault: Fault) => void;
  /** It does not come back. */
  readonly onLoss: (patient: Patient, error: unknown) => void;
}

/**
 * Lets every fault happen to every node, in turn, and again in another order. Two at a time may be down at most, and the
 * second only now and then: some copy always lives.
 */
export class Misfortune {
  readonly #options: MisfortuneOptions;
  #coming: [Patient, Fault][] = [];

  constructor(options: MisfortuneOptions) {
    this.#options = options;
  }

  /** Until `enough`; then all are given back what they need. */
  async run(enough: AbortSignal): Promise<void> {
    await Promise.all([this.#afflict(enough, 300, 1500), this.#afflict(enough, 10_000, 30_000)]);
  }

  /** One after the other, with a rest between. */
  async #afflict(enough: AbortSignal, shortest: number, longest: number): Promise<void> {
    const { recovered, onFall, onRise, onLoss } = this.#options;
    while (await this.#rest(shortest, longest, enough)) {
      const [patient, fault] = this.#next();
      try {
        const fallen = patient.fall(fault);
        onFall(patient, fault);
        await fallen;
        await this.#rest(1500, 7000, enough);
        await patient.rise();
        await recovered(patient);
        patient.fault = null;
        onRise(patient, fault);
      } catch (error) {
        onLoss(patient, error);
        return;
      }
    }
  }

  /** @returns whether there is time left */
  async #rest(shortest: number, longest: number, enough: AbortSignal): Promise<boolean> {
    const time = this.#options.chance.between(shortest, longest);
    await pause(time, undefined, { signal: enough }).catch(() => undefined);
    return !enough.aborted;
  }

  #next(): [Patient, Fault] {
    const { patients, chance } = this.#options;
    const isFree = ([{ fault }]: [Patient, Fault]): boolean => fault === null;
    if (!this.#coming.some(isFree)) {
      const all = patients.flatMap((one) => faults.map((fault): [Patient, Fault] => [one, fault]));
      this.#coming.push(...chance.shuffled(all));
    }
    const [next] = this.#coming.splice(this.#coming.findIndex(isFree), 1);
    if (next === undefined) throw new Error('all are down');
    return next;
  }
}
