using System.Buffers;
using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Sketch.Sketches;

internal enum StateKind : byte
{
    CountMin = 1,
    HyperLogLog = 2,
    HeavyHitters = 3,
}

/// <summary>
/// The envelope of every saved state (docs/formats/sketches.md): 48 bytes of header, the payload, a CRC32C of all before it.
/// Little endian. What is read is checked before anything of its size is allocated.
/// </summary>
internal readonly record struct StateHeader(
    StateKind Kind, byte Flags, byte Shape, ulong KeyId, ulong Parameter, ulong First, ulong Second, int PayloadBytes)
{
    public const int HeaderBytes = 48;
    public const int ChecksumBytes = 4;
    public const byte Version = 1;

    private const uint Magic = 0x48434b53; // "SKCH"

    /// <summary>The whole state's length.</summary>
    public int StateBytes => HeaderBytes + PayloadBytes + ChecksumBytes;

    /// <summary>Takes room for the whole state from the writer and puts the header there.</summary>
    public Span<byte> Begin(IBufferWriter<byte> writer)
    {
        Span<byte> state = writer.GetSpan(StateBytes)[..StateBytes];
        BinaryPrimitives.WriteUInt32LittleEndian(state, Magic);
        state[4] = Version;
        state[5] = (byte)Kind;
        state[6] = Flags;
        state[7] = Shape;
        BinaryPrimitives.WriteUInt64LittleEndian(state[8..], KeyId);
        BinaryPrimitives.WriteUInt64LittleEndian(state[16..], Parameter);
        BinaryPrimitives.WriteUInt64LittleEndian(state[24..], First);
        BinaryPrimitives.WriteUInt64LittleEndian(state[32..], Second);
        BinaryPrimitives.WriteUInt64LittleEndian(state[40..], (ulong)PayloadBytes);
        return state;
    }

    /// <summary>Puts the checksum behind the payload and gives the state to the writer.</summary>
    public static void End(IBufferWriter<byte> writer, Span<byte> state)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(state[^ChecksumBytes..], Crc32C(state[..^ChecksumBytes]));
        writer.Advance(state.Length);
    }

    /// <summary>Checks everything that can be checked without knowing the kind.</summary>
    public static StateHeader Read(ReadOnlySpan<byte> state, StateKind kind, out ReadOnlySpan<byte> payload)
    {
        if (state.Length < HeaderBytes + ChecksumBytes)
            throw new InvalidDataException($"state is {state.Length} bytes; allowed {HeaderBytes + ChecksumBytes} or more");
        uint magic = BinaryPrimitives.ReadUInt32LittleEndian(state);
        if (magic != Magic)
            throw new InvalidDataException($"magic is {magic:x8}; allowed {Magic:x8}");
        if (state[4] != Version)
            throw new InvalidDataException($"version is {state[4]}; allowed {Version}");
        if (state[5] != (byte)kind)
            throw new InvalidDataException($"kind is {state[5]}; allowed {(byte)kind} ({kind})");
        ulong payloadBytes = BinaryPrimitives.ReadUInt64LittleEndian(state[40..]);
        ulong actual = (ulong)(state.Length - HeaderBytes - ChecksumBytes);
        if (payloadBytes != actual)
            throw new InvalidDataException($"payload length is {payloadBytes}; allowed {actual}, the bytes that are there");
        uint checksum = BinaryPrimitives.ReadUInt32LittleEndian(state[^ChecksumBytes..]);
        uint computed = Crc32C(state[..^ChecksumBytes]);
        if (checksum != computed)
            throw new InvalidDataException($"checksum is {checksum:x8}; allowed {computed:x8}, that of the bytes");

        payload = state[HeaderBytes..^ChecksumBytes];
        return new StateHeader(
            kind,
            state[6],
            state[7],
            BinaryPrimitives.ReadUInt64LittleEndian(state[8..]),
            BinaryPrimitives.ReadUInt64LittleEndian(state[16..]),
            BinaryPrimitives.ReadUInt64LittleEndian(state[24..]),
            BinaryPrimitives.ReadUInt64LittleEndian(state[32..]),
            payload.Length);
    }

    public void RequireKey(ulong keyId)
    {
        if (KeyId != keyId)
            throw new InvalidDataException($"keyId is {KeyId:x16}; allowed {keyId:x16}, that of the given key");
    }

    public void RequireFlags(byte allowed)
    {
        if ((Flags & ~allowed) != 0)
            throw new InvalidDataException($"flags are {Flags}; allowed 0 to {allowed}");
    }

    public void RequirePayload(long bytes)
    {
        if (PayloadBytes != bytes)
            throw new InvalidDataException($"payload length is {PayloadBytes}; allowed {bytes} for these parameters");
    }

    public static void WriteWords(ReadOnlySpan<uint> words, Span<byte> bytes)
    {
        words.CopyTo(MemoryMarshal.Cast<byte, uint>(bytes));
        Swap(MemoryMarshal.Cast<byte, uint>(bytes));
    }

    public static void ReadWords(ReadOnlySpan<byte> bytes, Span<uint> words)
    {
        MemoryMarshal.Cast<byte, uint>(bytes).CopyTo(words);
        Swap(words);
    }

    public static uint Crc32C(ReadOnlySpan<byte> bytes)
    {
        uint crc = uint.MaxValue;
        for (; bytes.Length >= 8; bytes = bytes[8..])
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
        foreach (byte one in bytes)
            crc = BitOperations.Crc32C(crc, one);
        return ~crc;
    }

    private static void Swap(Span<uint> words)
    {
        if (!BitConverter.IsLittleEndian)
            BinaryPrimitives.ReverseEndianness(words, words);
    }
}
