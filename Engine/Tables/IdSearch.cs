using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Sketch.Engine.Tables;

/// <summary>
/// Looks up many ids whose lines come from memory at the same time: with each id that is looked at, the line of one further on is asked for. All at once would be simpler, but a
/// processor that has no room for another miss need not do what it was merely advised to, and then waits for it when it is looked at.
/// </summary>
internal static unsafe class IdSearch
{
    // More misses than a processor has on their way; few enough for what they bring to stay near.
    private const int Ahead = 64;

    /// <summary>Tells a table of each id; those that their homes have no room for come a little later than others.</summary>
    /// <param name="ids">Any ids; none is zero, or what is told of it means nothing.</param>
    /// <param name="table">Where they are looked up; a copy, so that what every id needs of it stays in registers.</param>
    /// <typeparam name="T">The table.</typeparam>
    [SkipLocalsInit]
    public static void Each<T>(ReadOnlySpan<ulong> ids, T table)
        where T : struct, IIdTable, allows ref struct
    {
        ulong** lines = stackalloc ulong*[Ahead];
        Late late;
        late.Count = 0;
        ref ulong first = ref MemoryMarshal.GetReference(ids);
        int asked = Math.Min(Ahead, ids.Length);
        for (int i = 0; i < asked; i++)
        {
            lines[i] = table.Home(Unsafe.Add(ref first, i));
        }

        for (int i = 0; i < ids.Length; i++)
        {
            ulong* line = lines[i & (Ahead - 1)];
            ulong id = Unsafe.Add(ref first, i);
            uint found = IdLines.Where(ref *line, id);
            if (found != 0)
            {
                table.Found(i, line + BitOperations.TrailingZeroCount(found));
            }
            else
            {
                T copy = table; // whose address is taken does not stay in registers
                late.Take(i, id, line, ref copy);
            }

            if (asked < ids.Length)
            {
                lines[i & (Ahead - 1)] = table.Home(Unsafe.Add(ref first, asked++));
            }
        }

        T last = table;
        late.Tell(ref last);
    }

    // Ids that are not in their homes: the line after it is asked for, and looked at once so many wait.
    private struct Late
    {
        private const int Most = 16;

        /// <summary>How many wait; zero before the first.</summary>
        public int Count;
        private fixed int _indexes[Most];
        private fixed ulong _ids[Most];
        private fixed ulong _lines[Most];

        /// <summary>Tells the table of an id that is missing, or asks for the line after its home.</summary>
        /// <param name="index">Which of those that are looked up.</param>
        /// <param name="id">The id.</param>
        /// <param name="home">Its home, where it is not.</param>
        /// <param name="table">Where it is looked up.</param>
        [MethodImpl(MethodImplOptions.NoInlining)]
        public void Take<T>(int index, ulong id, ulong* home, ref T table)
            where T : struct, IIdTable, allows ref struct
        {
            if (IsMissing(index, id, home, ref table))
            {
                return;
            }

            _indexes[Count] = index;
            _ids[Count] = id;
            _lines[Count++] = (ulong)table.After(id, home);
            if (Count == Most)
            {
                Tell(ref table);
            }
        }

        /// <summary>Tells the table of all that wait.</summary>
        public void Tell<T>(ref T table)
            where T : struct, IIdTable, allows ref struct
        {
            for (int i = 0; i < Count; i++)
            {
                ulong* line = (ulong*)_lines[i];
                uint found;
                while ((found = IdLines.Where(ref *line, _ids[i])) == 0 && !IsMissing(_indexes[i], _ids[i], line, ref table))
                {
                    line = table.After(_ids[i], line);
                }

                if (found != 0)
                {
                    table.Found(_indexes[i], line + BitOperations.TrailingZeroCount(found));
                }
            }

            Count = 0;
        }

        // It is when the line that it is not in has room.
        private static bool IsMissing<T>(int index, ulong id, ulong* line, ref T table)
            where T : struct, IIdTable, allows ref struct
        {
            if (line[IdLines.Width - 1] != 0)
            {
                return false;
            }

            table.Missing(index, id, line + BitOperations.TrailingZeroCount(IdLines.Where(ref *line, 0)));
            return true;
        }
    }
}
