import type { ScenarioName } from './scenarios.ts';
import type { Algorithm, TargetName } from './target.ts';

/** One slice of load. */
export interface Round {
  readonly requestsPerSecond: number;
  /** Of the server's whole process tree, a request. */
  readonly cpuMicroseconds: number;
  /** Of the database server, where it is a process of its own. */
  readonly databaseMicroseconds: number;
  readonly p50Milliseconds: number;
  readonly p99Milliseconds: number;
  /** CPU that went to anybody else meanwhile, in cores. */
  readonly noiseCores: number;
}

/** A target in a scenario. Rounds with one index were made one right after the other. */
export interface Row {
  readonly scenario: ScenarioName;
  readonly algorithm: Algorithm;
  readonly target: TargetName;
  readonly rounds: readonly Round[];
  readonly loadedMebibytes: number;
}

/** A start of a target. */
export interface Start {
  readonly target: TargetName;
  readonly startMilliseconds: number;
  readonly firstTokenMilliseconds: number;
  readonly idleMebibytes: number;
}

/** CPU a signature takes by itself, as the rounds of that algorithm's client_credentials saw it. */
export interface Signing {
  readonly algorithm: Algorithm;
  readonly cpuMicroseconds: readonly number[];
}

export interface Machine {
  readonly cores: number;
  readonly model: string;
  readonly node: string;
}

export interface Results {
  readonly measuredAt: string;
  readonly machine: Machine;
  readonly options: { readonly rounds: number; readonly seconds: number; readonly connections: number };
  readonly rows: readonly Row[];
  readonly starts: readonly Start[];
  readonly signing: readonly Signing[];
}
