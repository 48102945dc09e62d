using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;

namespace Sketch.Server.Rest;

/// <content>Where the columns lie, and the column of numbers: names' numbers in ascending order, each as what it exceeds the one before by, in LEB128.</content>
internal static partial class BinaryBatch
{
    private const int MostGapBytes = 5;

    /// <summary>Writes a column of numbers.</summary>
    /// <param name="into">Receives its length and its bytes.</param>
    /// <param name="ascending">The numbers; the same one may come again.</param>
    public static void WriteNumbers(IBufferWriter<byte> into, ReadOnlySpan<int> ascending)
    {
        Span<byte> column = into.GetSpan(sizeof(int) + (ascending.Length * MostGapBytes));
        int at = sizeof(int);
        int last = 0;
        foreach (int number in ascending)
        {
            uint gap = checked((uint)(number - last));
            for (last = number; gap > 0x7F; gap >>= 7)
                column[at++] = (byte)(gap | 0x80);
            column[at++] = (byte)gap;
        }

        BinaryPrimitives.WriteInt32LittleEndian(column, at - sizeof(int));
        into.Advance(at);
    }

    private static void Read(ReadOnlySpan<byte> column, Span<int> numbers, int names)
    {
        int at = 0;
        ulong number = 0;
        for (int i = 0; i < numbers.Length; i++)
        {
            uint part = at < column.Length ? column[at++] : CutOff(i, numbers.Length);
            ulong gap = part & 0x7F;
            for (int shift = 7; part > 0x7F; shift += 7)
            {
                if (shift == 7 * MostGapBytes)
                    throw new ProblemException(Problem.Invalid($"numbers[{i}]", "a gap of more than 5 bytes", "at most 5 bytes in LEB128"));
                part = at < column.Length ? column[at++] : CutOff(i, numbers.Length);
                gap |= (ulong)(part & 0x7F) << shift;
            }

            number += gap;
            if (number >= (ulong)names)
                throw new ProblemException(Problem.Invalid($"numbers[{i}]", $"{number}", names == 0 ? "no number: no name was declared" : $"0 to {names - 1}, the numbers of declared names"));
            numbers[i] = (int)number;
        }

        if (at != column.Length)
            throw new ProblemException(Problem.Invalid("numbers", $"{column.Length - at} bytes after the last number", "none"));
    }

    [DoesNotReturn]
    private static uint CutOff(int at, int count) =>
        throw new ProblemException(Problem.Invalid($"numbers[{at}]", "cut off", $"{count} numbers, as n says"));

    /// <summary>A batch's columns.</summary>
    private readonly ref struct Parts
    {
        private Parts(ReadOnlySpan<byte> body, int counters, long deltas, int count, int width)
        {
            long names = deltas + ((long)count * width);
            if (names > body.Length)
                throw new ProblemException(Problem.Invalid("body", $"{body.Length} bytes", $"at least {names}, as n, w and p say"));
            Counters = body[counters..(int)deltas];
            Deltas = body[(int)deltas..(int)names];
            Names = body[(int)names..];
        }

        public ReadOnlySpan<byte> Counters { get; }

        public ReadOnlySpan<byte> Deltas { get; }

        public ReadOnlySpan<byte> Names { get; }

        public static Parts OfIds(ReadOnlySpan<byte> body, int at, int count, int width) => new(body, at, at + ((long)count * sizeof(ulong)), count, width);

        public static Parts OfNumbers(ReadOnlySpan<byte> body, int at, int count, int width)
        {
            uint bytes = body.Length < at + sizeof(uint) ? 0 : BinaryPrimitives.ReadUInt32LittleEndian(body[at..]);
            return new(body, at + sizeof(uint), at + sizeof(uint) + (long)bytes, count, width);
        }
    }
}
