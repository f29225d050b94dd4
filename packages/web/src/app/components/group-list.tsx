import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { allApart, apartFromGroup, type Pair, type ShownGroup } from '../different-pictures.ts';
import { type Choices, keepOnly, keptOf, toggleKept } from '../duplicate-choices.ts';
import { formatCount, formatPlural } from '../number-format.ts';
import { useLook } from '../use-look.ts';
import { visibleRows } from '../windowing.ts';
import { GroupRow } from './group-row.tsx';
import { GroupViewer } from './group-viewer.tsx';

/** Pixels; one height for every group keeps the scrollbar exact. The stylesheet has the same number. */
const rowHeight = 280;

interface Props {
  collection: string;
  groups: readonly ShownGroup[];
  choices: Choices;
  onChoose: (choices: Choices, said: string) => void;
  onPart: (pairs: Pair[], said: string) => void;
  onUndo: () => void;
}

/**
 * All groups, of which only those near the viewport are in the document. One tab stop: arrows move between pictures
 * and groups, Space keeps or drops, Enter keeps only this one, D says that it is a different picture, V enlarges it.
 */
export function GroupList(props: Props) {
  const { collection, groups, choices, onChoose, onPart } = props;
  const look = useLook();
  const list = useRef<HTMLOListElement>(null);
  const shown = useVisible(list, groups.length);
  const [active, setActive] = useState({ group: 0, item: 0 });
  const [refused, setRefused] = useState('');
  const moved = useRef(false);
  // Ahead of what is rendered while a key repeats faster than that.
  const position = useRef(active);

  useLayoutEffect(() => {
    if (!moved.current) return;
    moved.current = false;
    const element = list.current?.querySelector<HTMLElement>(
      `[data-group="${active.group}"] [data-item="${active.item}"]`,
    );
    element?.focus({ preventScroll: true });
    element?.closest('li')?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }, [active]);

  const move = (group: number, item: number) => {
    const target = Math.min(groups.length - 1, Math.max(0, group));
    const count = groups[target]?.items.length ?? 1;
    moved.current = true;
    position.current = { group: target, item: Math.min(count - 1, Math.max(0, item)) };
    setActive(position.current);
    scrollToRow(list.current, target);
  };

  const choose = (next: Choices, said: string) => {
    setRefused(next === choices ? 'At least one picture of a group is kept.' : '');
    if (next !== choices) onChoose(next, said);
  };
  const toggle = (group: ShownGroup, id: string) =>
    choose(toggleKept(choices, group, id), `the choice of ${id}`);
  const only = (group: ShownGroup, id: string) => choose(keepOnly(choices, group, id), `keeping only ${id}`);

  /** Where a group ends with it, the next one takes its place, and the focus; `next` is enlarged instead of it. */
  const part = (row: number, id?: string, next?: string) => {
    const group = groups[row];
    if (!group) return;
    const pairs = id === undefined ? allApart(group) : apartFromGroup(group, id);
    if (pairs.length === 0) return setRefused('All of the group are copies of the same file.');
    setRefused('');
    onPart(
      pairs,
      id === undefined
        ? `the verdict that ${formatPlural(group.items.length, 'picture')} are all different`
        : `the verdict that ${id} is a different picture`,
    );
    if (next !== undefined) return look.open(next);
    if (look.id !== undefined) look.close();
    const item = group.items.findIndex((one) => one.id === id);
    moved.current = true;
    position.current = { group: row, item: Math.max(0, item - 1) };
    setActive(position.current);
  };

  const onKeyDown = (event: KeyboardEvent) => {
    const undoes = event.key.toLowerCase() === 'z' && !event.shiftKey;
    if (event.altKey || ((event.ctrlKey || event.metaKey) && !undoes)) return;
    const { group, item } = position.current;
    const moves: Record<string, [number, number]> = {
      ArrowRight: [group, item + 1],
      ArrowLeft: [group, item - 1],
      ArrowDown: [group + 1, 0],
      ArrowUp: [group - 1, 0],
      PageDown: [group + 5, 0],
      PageUp: [group - 5, 0],
      Home: [0, 0],
      End: [groups.length - 1, 0],
    };
    const target = moves[event.key];
    if (target) {
      event.preventDefault();
      move(...target);
      return;
    }
    const chosen = groups[group];
    const id = chosen?.items[item]?.id;
    if (!chosen || id === undefined) return;
    const acts: Record<string, () => void> = {
      enter: () => only(chosen, id),
      d: () => part(group, id),
      v: () => look.open(id),
      z: props.onUndo,
    };
    const act = acts[event.key.toLowerCase()];
    if (!act) return;
    event.preventDefault();
    act();
  };

  const enlarged = useMemo(() => {
    if (look.id === undefined) return undefined;
    const group = groups.findIndex((one) => one.items.some((item) => item.id === look.id));
    if (group < 0) return undefined;
    return { group, item: groups[group]?.items.findIndex((item) => item.id === look.id) ?? 0 };
  }, [groups, look.id]);

  // What was looked at last is where the reader is when the enlarged picture is closed.
  const lastEnlarged = useRef(enlarged);
  useEffect(() => {
    const last = lastEnlarged.current;
    lastEnlarged.current = enlarged;
    if (enlarged || !last || moved.current) return;
    move(last.group, last.item);
  }, [enlarged]);

  // The row that has the focus stays in the document wherever the page is scrolled to.
  const rows = new Set<number>();
  for (let row = shown.start; row < shown.end; row++) rows.add(row);
  if (active.group < groups.length) rows.add(active.group);

  return (
    <>
      <p class="visually-hidden" role="status">
        {refused}
      </p>
      <ol
        ref={list}
        class="groups"
        aria-label={`${formatCount(groups.length)} groups`}
        style={{ height: `${groups.length * rowHeight}px` }}
      >
        {[...rows]
          .sort((a, b) => a - b)
          .map((row) => {
            const group = groups[row];
            if (!group) return null;
            return (
              <GroupRow
                key={group.keep}
                collection={collection}
                group={group}
                number={row}
                count={groups.length}
                top={row * rowHeight}
                kept={keptOf(group, choices)}
                activeItem={row === active.group ? active.item : undefined}
                onFocusItem={(item) => {
                  if (moved.current || (active.group === row && active.item === item)) return;
                  position.current = { group: row, item };
                  setActive(position.current);
                }}
                onToggle={(id) => toggle(group, id)}
                onEnlarge={look.open}
                onPart={(id) => part(row, id)}
                onKeyDown={onKeyDown}
              />
            );
          })}
      </ol>
      {enlarged && (
        <GroupViewer
          collection={collection}
          groups={groups}
          group={enlarged.group}
          item={enlarged.item}
          choices={choices}
          onLook={look.open}
          onToggle={toggle}
          onKeepOnly={only}
          onPart={(id, next) => part(enlarged.group, id, next)}
          onUndo={props.onUndo}
          onClose={look.close}
        />
      )}
    </>
  );
}

function scrollToRow(list: HTMLElement | null, row: number): void {
  if (!list) return;
  const top = list.getBoundingClientRect().top + row * rowHeight;
  // What sticks to the top lies over the rows.
  const bottoms = [...document.querySelectorAll('.header, .groups-head')].map(
    (element) => element.getBoundingClientRect().bottom,
  );
  const header = Math.max(0, ...bottoms);
  const below = top + rowHeight - document.documentElement.clientHeight;
  if (top < header) scrollBy({ top: top - header - 8 });
  else if (below > 0) scrollBy({ top: below + 8 });
}

/** Follows the window's scrolling and size; renders again only when other rows come into sight. */
function useVisible(list: { current: HTMLElement | null }, count: number) {
  const [shown, setShown] = useState({ start: 0, end: Math.min(count, 6) });
  useEffect(() => {
    const measure = () => {
      if (!list.current) return;
      const next = visibleRows({
        count,
        rowHeight,
        offset: -list.current.getBoundingClientRect().top,
        viewport: innerHeight,
        overscan: 3,
      });
      setShown((last) => (last.start === next.start && last.end === next.end ? last : next));
    };
    measure();
    addEventListener('scroll', measure, { passive: true });
    addEventListener('resize', measure);
    return () => {
      removeEventListener('scroll', measure);
      removeEventListener('resize', measure);
    };
  }, [list, count]);
  return shown;
}
