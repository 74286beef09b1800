import { isUtf8 } from 'node:buffer';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { InvalidRequest } from '../core/errors.ts';
import { noParameters, type Parameters, parseParameters } from '../core/parameters.ts';
import { ContentTooLarge, RequestAborted, UnsupportedMediaType } from './refusals.ts';

/** Longest body, in bytes. */
export const BODY_LIMIT_BYTES = 64 * 1024;

/** Reads the body of a POST as a form, or no body at all. @throws what `readText` does, InvalidRequest when it is ill-formed. */
export async function readForm(request: IncomingMessage, response: ServerResponse): Promise<Parameters> {
  const text = await readText(request, response, 'application/x-www-form-urlencoded');
  return text === undefined || text === '' ? noParameters : parseParameters(text);
}

/** Reads a body as JSON. @returns undefined when there is none. @throws what `readText` does, InvalidRequest when it is ill-formed. */
export async function readJson(request: IncomingMessage, response: ServerResponse): Promise<unknown> {
  const text = await readText(request, response, 'application/json');
  if (text === undefined || text === '') {
    return undefined;
  }
  try {
    return JSON.parse(text);
  } catch {
    throw new InvalidRequest('The body is not JSON.');
  }
}

/**
 * Reads a body: text in UTF-8 of one media type, not compressed (a small request must not grow here). How long the client may take is the
 * server's `requestTimeout`.
 * @returns undefined when there is no body, nor a content type.
 * @throws UnsupportedMediaType on any other content, ContentTooLarge beyond `BODY_LIMIT_BYTES`, InvalidRequest when it is not UTF-8,
 * RequestAborted when the client goes away.
 */
async function readText(request: IncomingMessage, response: ServerResponse, mediaType: string): Promise<string | undefined> {
  const { 'content-type': contentType, 'content-length': contentLength, 'content-encoding': encoding } = request.headers;
  const empty = contentLength === '0' || (contentLength === undefined && request.headers['transfer-encoding'] === undefined);
  if (empty && contentType === undefined) {
    return undefined;
  }
  if (!isOfType(contentType, mediaType)) {
    throw new UnsupportedMediaType(`The content type must be ${mediaType}, in UTF-8.`);
  }
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    throw new UnsupportedMediaType('The body must not have a content encoding.');
  }
  if (Number(contentLength) > BODY_LIMIT_BYTES) {
    throw tooLarge();
  }
  if (request.headers.expect !== undefined) {
    response.writeContinue();
  }
  return empty ? '' : utf8(await readBytes(request), mediaType);
}

function isOfType(contentType: string | undefined, mediaType: string): boolean {
  if (contentType === mediaType) {
    return true;
  }
  const [type = '', ...parameters] = (contentType ?? '').toLowerCase().split(';');
  return type.trim() === mediaType && parameters.every(isHarmless);
}

function isHarmless(parameter: string): boolean {
  const [name, value] = parameter.split('=');
  return name?.trim() !== 'charset' || /^\s*"?utf-?8"?\s*$/.test(value ?? '');
}

function readBytes(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const onData = (chunk: Buffer) => {
      length += chunk.length;
      if (length > BODY_LIMIT_BYTES) {
        // The stream goes on flowing, into nothing.
        request.off('data', onData);
        reject(tooLarge());
      } else {
        chunks.push(chunk);
      }
    };
    const onClose = () => {
      if (!request.complete) {
        reject(new RequestAborted());
      }
    };
    request.on('data', onData);
    request.once('end', () => resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks)));
    request.once('close', onClose);
    request.once('error', onClose);
  });
}

function utf8(bytes: Buffer, mediaType: string): string {
  if (!isUtf8(bytes)) {
    throw new InvalidRequest(`The body is not ${mediaType} text in UTF-8.`);
  }
  return bytes.toString();
}

function tooLarge(): ContentTooLarge {
  return new ContentTooLarge(`The body must not be longer than ${BODY_LIMIT_BYTES} bytes.`);
}
