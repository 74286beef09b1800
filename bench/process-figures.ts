import { readFile } from 'node:fs/promises';

const TICKS_PER_SECOND = 100;

/** Microseconds of CPU that a process and its children have used. Linux. */
export async function cpuOf(pid: number): Promise<number> {
  const children = (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '')).split(' ').filter(Boolean);
  const used = await Promise.all([String(pid), ...children].map(ownCpuOf));
  return used.reduce((sum, microseconds) => sum + microseconds, 0);
}

/** Resident memory of a process in MiB. Linux. */
export async function memoryOf(pid: number): Promise<number> {
  const [, kibibytes = '0'] = /VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kibibytes) / 1024;
}

async function ownCpuOf(pid: string): Promise<number> {
  // proc(5): fields 14 and 15 are user and system time in clock ticks; the name in field 2 may contain spaces.
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ') ')).split(') ')[1]?.split(' ') ?? [];
  return ((Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / TICKS_PER_SECOND) * 1e6;
}
