using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Sketch.Engine.Increments;

/// <summary>Columns of small nonnegative numbers in as few bytes as the largest of them needs.</summary>
internal static class DeltaColumn
{
    /// <summary>The bytes that a number of a column takes whose largest is this: 1, 2 or 4.</summary>
    public static int BytesFor(uint largest) => largest <= byte.MaxValue ? 1 : largest <= ushort.MaxValue ? 2 : 4;

    /// <summary>Reads a column.</summary>
    /// <param name="from">The numbers, little endian.</param>
    /// <param name="bytes">Of one number: 1, 2 or 4.</param>
    /// <param name="into">As many as there are.</param>
    public static void Widen(ReadOnlySpan<byte> from, int bytes, Span<uint> into)
    {
        switch (bytes)
        {
            case 1:
                Widen(from, into);
                break;
            case 2:
                ReadOnlySpan<ushort> shorts = MemoryMarshal.Cast<byte, ushort>(from);
                for (int i = 0; i < into.Length; i++)
                {
                    into[i] = shorts[i];
                }

                break;
            default:
                MemoryMarshal.Cast<byte, uint>(from).CopyTo(into);
                break;
        }
    }

    /// <summary>Writes a column; returns what is left of <paramref name="into"/>.</summary>
    public static Span<byte> Narrow(ReadOnlySpan<uint> from, int bytes, Span<byte> into)
    {
        switch (bytes)
        {
            case 1:
                Narrow(from, into);
                break;
            case 2:
                Span<ushort> shorts = MemoryMarshal.Cast<byte, ushort>(into);
                for (int i = 0; i < from.Length; i++)
                {
                    shorts[i] = (ushort)from[i];
                }

                break;
            default:
                MemoryMarshal.AsBytes(from).CopyTo(into);
                break;
        }

        return into[(from.Length * bytes)..];
    }

    private static void Widen(ReadOnlySpan<byte> from, Span<uint> into)
    {
        int done = 0;
        if (Vector128.IsHardwareAccelerated)
        {
            for (; done <= from.Length - 16; done += 16)
            {
                (Vector128<ushort> low, Vector128<ushort> high) = Vector128.Widen(Vector128.Create(from[done..]));
                (Vector128<uint> first, Vector128<uint> second) = Vector128.Widen(low);
                (Vector128<uint> third, Vector128<uint> fourth) = Vector128.Widen(high);
                first.CopyTo(into[done..]);
                second.CopyTo(into[(done + 4)..]);
                third.CopyTo(into[(done + 8)..]);
                fourth.CopyTo(into[(done + 12)..]);
            }
        }

        for (; done < from.Length; done++)
        {
            into[done] = from[done];
        }
    }

    private static void Narrow(ReadOnlySpan<uint> from, Span<byte> into)
    {
        int done = 0;
        if (Vector128.IsHardwareAccelerated)
        {
            for (; done <= from.Length - 16; done += 16)
            {
                Vector128<ushort> low = Vector128.Narrow(Vector128.Create(from[done..]), Vector128.Create(from[(done + 4)..]));
                Vector128<ushort> high = Vector128.Narrow(Vector128.Create(from[(done + 8)..]), Vector128.Create(from[(done + 12)..]));
                Vector128.Narrow(low, high).CopyTo(into[done..]);
            }
        }

        for (; done < from.Length; done++)
        {
            into[done] = (byte)from[done];
        }
    }
}
