using System.Numerics;
using System.Runtime.CompilerServices;

namespace Sketch.Engine.Tables;

/// <summary>
/// Looks up many ids whose lines come from memory at the same time: with each id that is looked at, the line of one further on is asked for. All at once would be simpler, but a
/// processor that has no room for another miss need not do what it was merely advised to, and then waits for it when it is looked at.
/// </summary>
internal static unsafe class IdSearch
{
    // More misses than a processor has on their way; few enough for what they bring to stay near.
    private const int Ahead = 64;

    // Ids that their home had no room for, one in ten: the line after it is asked for, and looked at once so many wait.
    private const int Late = 16;

    /// <summary>Tells a table of each id; those that their homes have no room for come a little later than others.</summary>
    /// <param name="ids">Any ids; none is zero, or what is told of it means nothing.</param>
    /// <param name="table">Where they are looked up.</param>
    /// <typeparam name="T">The table.</typeparam>
    [SkipLocalsInit]
    public static void Each<T>(ReadOnlySpan<ulong> ids, ref T table)
        where T : struct, IIdTable, allows ref struct
    {
        ulong** lines = stackalloc ulong*[Ahead];
        int* late = stackalloc int[Late];
        ulong** lateLines = stackalloc ulong*[Late];
        int lateCount = 0;
        int asked = Math.Min(Ahead, ids.Length);
        for (int i = 0; i < asked; i++)
        {
            lines[i] = table.Home(ids[i]);
        }

        for (int i = 0; i < ids.Length; i++)
        {
            ulong* line = lines[i & (Ahead - 1)];
            if (asked < ids.Length)
            {
                lines[i & (Ahead - 1)] = table.Home(ids[asked++]);
            }

            if (!IsTold(i, ids[i], line, ref table))
            {
                late[lateCount] = i;
                lateLines[lateCount++] = table.After(ids[i], line);
                if (lateCount == Late)
                {
                    TellOf(late, lateLines, lateCount, ids, ref table);
                    lateCount = 0;
                }
            }
        }

        TellOf(late, lateLines, lateCount, ids, ref table);
    }

    private static void TellOf<T>(int* late, ulong** lines, int count, ReadOnlySpan<ulong> ids, ref T table)
        where T : struct, IIdTable, allows ref struct
    {
        for (int i = 0; i < count; i++)
        {
            ulong id = ids[late[i]];
            for (ulong* line = lines[i]; !IsTold(late[i], id, line, ref table);)
            {
                line = table.After(id, line);
            }
        }
    }

    // False when the line is full of others.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsTold<T>(int index, ulong id, ulong* line, ref T table)
        where T : struct, IIdTable, allows ref struct
    {
        uint found = IdLines.Where(ref *line, id);
        if (found != 0)
        {
            table.Found(index, line + BitOperations.TrailingZeroCount(found));
            return true;
        }

        if (line[IdLines.Width - 1] != 0)
        {
            return false;
        }

        table.Missing(index, line + BitOperations.TrailingZeroCount(IdLines.Where(ref *line, 0)));
        return true;
    }
}
