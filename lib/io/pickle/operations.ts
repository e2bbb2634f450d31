// The opcodes of pickle's protocols 2 to 5.
import type { PickleMachine } from './machine.js';
import { PickleTuple } from './values.js';

const NEWEST_PROTOCOL = 5;

const code = (letter: string): number => letter.charCodeAt(0);
const tuple = (machine: PickleMachine, length: number): void => {
  const items = Array.from({ length }, () => machine.pop()).reverse();
  machine.push(new PickleTuple(items));
};

/** What each opcode does. */
export const OPERATIONS: ReadonlyMap<number, (machine: PickleMachine) => void> = new Map([
  [
    0x80, // PROTO
    (m) => {
      const protocol = m.cursor.uint8();
      if (protocol < 2 || protocol > NEWEST_PROTOCOL) throw m.error(`protocol ${protocol}; known are 2 to 5`);
    },
  ],
  [0x95, (m) => void m.cursor.uint64()], // FRAME

  [code('N'), (m) => m.push(null)],
  [0x88, (m) => m.push(true)],
  [0x89, (m) => m.push(false)],
  [code('J'), (m) => m.push(m.cursor.int32())],
  [code('K'), (m) => m.push(m.cursor.uint8())],
  [code('M'), (m) => m.push(m.cursor.uint16())],
  [0x8a, (m) => m.push(m.cursor.long(m.cursor.uint8()))],
  [0x8b, (m) => m.push(m.cursor.long(m.cursor.uint32()))],
  [code('G'), (m) => m.push(m.cursor.float64())],
  [code('X'), (m) => m.push(m.cursor.text(m.cursor.uint32()))],
  [0x8c, (m) => m.push(m.cursor.text(m.cursor.uint8()))],
  [0x8d, (m) => m.push(m.cursor.text(m.cursor.uint64()))],
  [code('B'), (m) => m.push(m.cursor.bytes(m.cursor.uint32()))],
  [code('C'), (m) => m.push(m.cursor.bytes(m.cursor.uint8()))],
  [0x8e, (m) => m.push(m.cursor.bytes(m.cursor.uint64()))],
  [0x96, (m) => m.push(m.cursor.bytes(m.cursor.uint64()))], // BYTEARRAY8

  [code('('), (m) => m.mark()],
  [code('0'), (m) => void m.pop()],
  [code('1'), (m) => void m.popMark()],
  [code('2'), (m) => m.push(m.peek())],
  [code('h'), (m) => m.recall(m.cursor.uint8())],
  [code('j'), (m) => m.recall(m.cursor.uint32())],
  [code('q'), (m) => m.remember(m.cursor.uint8())],
  [code('r'), (m) => m.remember(m.cursor.uint32())],
  [0x94, (m) => m.remember()],

  [code(')'), (m) => m.push(new PickleTuple([]))],
  [code('t'), (m) => m.push(new PickleTuple(m.popMark()))],
  [0x85, (m) => tuple(m, 1)],
  [0x86, (m) => tuple(m, 2)],
  [0x87, (m) => tuple(m, 3)],
  [code(']'), (m) => m.push([])],
  [code('l'), (m) => m.push(m.popMark())],
  [code('a'), (m) => m.append([m.pop()])],
  [code('e'), (m) => m.append(m.popMark())],
  [code('}'), (m) => m.push(new Map())],
  [
    code('d'),
    (m) => {
      const items = new Map();
      m.setItems(m.popMark(), items);
      m.push(items);
    },
  ],
  [
    code('s'),
    (m) => {
      const [value, key] = [m.pop(), m.pop()];
      m.setItems([key, value]);
    },
  ],
  [code('u'), (m) => m.setItems(m.popMark())],
  [0x8f, (m) => m.push(new Set())],
  [0x90, (m) => m.addItems(m.popMark())],
  [0x91, (m) => m.push(new Set(m.popMark()))],

  [code('c'), (m) => m.global(m.cursor.line(), m.cursor.line())],
  [
    0x93, // STACK_GLOBAL
    (m) => {
      const [name, module] = [m.pop(), m.pop()];
      m.global(module, name);
    },
  ],
  [code('R'), (m) => m.call()],
  [0x81, (m) => m.instantiate()], // NEWOBJ
  [
    0x92, // NEWOBJ_EX
    (m) => {
      m.pop();
      m.instantiate();
    },
  ],
  [code('b'), (m) => m.setState()],
  [code('Q'), (m) => m.persistent()],
]);

/** Why others are refused. */
export const REFUSED: ReadonlyMap<number, string> = new Map([
  [code('i'), 'INST would call a class; larmor never does'],
  [code('o'), 'OBJ would call a class; larmor never does'],
  [0x82, 'EXT1 stands for an object that is not in the file'],
  [0x83, 'EXT2 stands for an object that is not in the file'],
  [0x84, 'EXT4 stands for an object that is not in the file'],
  [0x97, 'NEXT_BUFFER stands for data that are not in the file'],
]);
