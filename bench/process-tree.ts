import { readdir, readFile } from 'node:fs/promises';

/** Microseconds of CPU that a process and all below it have used, by the scheduler's own count. Linux only. */
export async function cpuMicroseconds(pid: number): Promise<number> {
  const counts = await Promise.all((await treeOf(pid)).map(cpuOf));
  return sum(counts) / 1000;
}

/** Resident memory of a process and all below it, in MiB. */
export async function residentMebibytes(pid: number): Promise<number> {
  const sizes = await Promise.all(
    (await treeOf(pid)).map(async (each) => Number(/VmRSS:\s+(\d+)/.exec(await text(`/proc/${each}/status`))?.[1] ?? 0)),
  );
  return sum(sizes) / 1024;
}

/** Microseconds of CPU that anybody used on this machine since it started. */
export async function machineMicroseconds(): Promise<number> {
  // proc(5): user, nice, system, idle, iowait, irq, softirq, steal; in ticks of 10 ms.
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = (/^cpu +(.*)$/m.exec(await text('/proc/stat'))?.[1] ?? '')
    .split(' ')
    .map(Number);
  return (user + nice + system + irq + softirq) * 10_000;
}

async function treeOf(pid: number): Promise<readonly number[]> {
  const threads = await readdir(`/proc/${pid}/task`).catch(() => []);
  const children = await Promise.all(threads.map((thread) => text(`/proc/${pid}/task/${thread}/children`)));
  const below = await Promise.all(children.join(' ').split(' ').filter(Boolean).map(Number).map(treeOf));
  return [pid, ...below.flat()];
}

/** Nanoseconds, of all threads. */
async function cpuOf(pid: number): Promise<number> {
  const threads = await readdir(`/proc/${pid}/task`).catch(() => []);
  return sum(await Promise.all(threads.map(async (thread) => Number((await text(`/proc/${pid}/task/${thread}/schedstat`)).split(' ')[0]))));
}

/** Empty where the process has gone. */
async function text(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '');
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
