/**
 * What outlives the page: IndexedDB, because it alone keeps a key that scripts can use and cannot read (RFC 10017 section 6.3.4.2.2). Records:
 * `session`, and `login STATE` for each login that is under way.
 */
const opened = new Promise((resolve, reject) => {
  const request = indexedDB.open('keyturn-example', 1);
  request.addEventListener('upgradeneeded', () => request.result.createObjectStore('records'));
  request.addEventListener('success', () => resolve(request.result));
  request.addEventListener('error', () => reject(problem(request.error)));
});

export const read = (name) => within('readonly', (records) => records.get(name));

export const write = (name, value) => within('readwrite', (records) => records.put(value, name));

export const clear = () => within('readwrite', (records) => records.clear());

async function within(mode, work) {
  const transaction = (await opened).transaction('records', mode);
  const request = work(transaction.objectStore('records'));
  return new Promise((resolve, reject) => {
    // Not when the request is done: when it is on the disk.
    transaction.addEventListener('complete', () => resolve(request.result));
    transaction.addEventListener('abort', () => reject(problem(transaction.error)));
  });
}

function problem(cause) {
  return new Error('The browser did not keep what it was given.', { cause });
}
