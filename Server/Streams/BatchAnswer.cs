using System.Buffers;
using System.Buffers.Binary;
using System.Text.Json;
using Sketch.Server.Rest;

namespace Sketch.Server.Streams;

/// <summary>
/// The answer to a batch of a stream; answers come in the order of the batches, several in a message. Little endian; docs/formats/batch.md has the same table.
/// <code>
/// offset  size  what
///      0     2  status, as the same batch would get over HTTP: 200, 400, 404, 409, 429, 503 or 507
///      2     2  1 when the batch had been counted before, else 0
///      4     4  increments counted, now or before
///      8     8  position in the log where the batch was first written
///     16     4  d: bytes of a problem
///     20     4  zeros
///     24     d  the problem (application/problem+json); none with status 200
/// </code>
/// </summary>
/// <param name="Accepted">Increments counted.</param>
/// <param name="Duplicate">They had been before.</param>
/// <param name="Position">Where.</param>
/// <param name="Problem">Why nothing was counted, or null.</param>
internal readonly record struct BatchAnswer(int Accepted, bool Duplicate, long Position, Problem? Problem)
{
    /// <summary>Bytes before the problem.</summary>
    public const int HeaderBytes = 24;

    /// <summary>Appends an answer.</summary>
    public static void Write(IBufferWriter<byte> into, in BatchAnswer answer)
    {
        byte[] problem = answer.Problem is null ? [] : JsonSerializer.SerializeToUtf8Bytes(answer.Problem, AnswersJson.Readable.Problem);
        Span<byte> bytes = into.GetSpan(HeaderBytes + problem.Length);
        bytes[..HeaderBytes].Clear();
        BinaryPrimitives.WriteUInt16LittleEndian(bytes, (ushort)(answer.Problem?.Status ?? StatusCodes.Status200OK));
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[2..], (ushort)(answer.Duplicate ? 1 : 0));
        BinaryPrimitives.WriteInt32LittleEndian(bytes[4..], answer.Accepted);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[8..], answer.Position);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[16..], problem.Length);
        problem.CopyTo(bytes[HeaderBytes..]);
        into.Advance(HeaderBytes + problem.Length);
    }

    /// <summary>The status and the length of the answer at the start of these bytes; false when it is cut off.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out int status, out int length)
    {
        status = length = 0;
        if (bytes.Length < HeaderBytes)
            return false;
        status = BinaryPrimitives.ReadUInt16LittleEndian(bytes);
        length = HeaderBytes + BinaryPrimitives.ReadInt32LittleEndian(bytes[16..]);
        return length <= bytes.Length;
    }
}
