using System.Buffers;

namespace Sketch.Sketches;

/// <content>Saved states: docs/formats/sketches.md. States of the same elements save to the same bytes, in whatever order they came.</content>
public sealed partial class HyperLogLog
{
    private const byte DenseFlag = 1;

    /// <summary>How many bytes <see cref="Save"/> writes.</summary>
    public int StateBytes =>
        StateHeader.HeaderBytes + (IsSparse ? _tokenCount * sizeof(uint) : 1 << Precision) + StateHeader.ChecksumBytes;

    /// <summary>Writes the state.</summary>
    /// <param name="writer">Receives <see cref="StateBytes"/> bytes.</param>
    public void Save(IBufferWriter<byte> writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        int payload = StateBytes - StateHeader.HeaderBytes - StateHeader.ChecksumBytes;
        StateHeader header = new(
            StateKind.HyperLogLog, IsSparse ? (byte)0 : DenseFlag, (byte)Precision, KeyId, (ulong)Tokens.Length, 0, 0, payload);
        Span<byte> state = header.Begin(writer);
        if (IsSparse)
            StateHeader.WriteWords(Tokens, state.Slice(StateHeader.HeaderBytes, payload));
        else
            Registers.CopyTo(state[StateHeader.HeaderBytes..]);
        StateHeader.End(writer, state);
    }

    /// <summary>Reads a state.</summary>
    /// <param name="state">What <see cref="Save"/> wrote; anything else is refused.</param>
    /// <param name="keyId">The id of the key that its elements must have been hashed with.</param>
    /// <exception cref="InvalidDataException">Not such a state, damaged, or of another key.</exception>
    public static HyperLogLog Load(ReadOnlySpan<byte> state, ulong keyId)
    {
        StateHeader header = StateHeader.Read(state, StateKind.HyperLogLog, out ReadOnlySpan<byte> payload);
        header.RequireKey(keyId);
        header.RequireFlags(DenseFlag);
        if (header.Shape is < MinPrecision or > MaxPrecision)
            throw new InvalidDataException($"precision is {header.Shape}; allowed {MinPrecision} to {MaxPrecision}");
        if (header.First != 0 || header.Second != 0)
            throw new InvalidDataException($"reserved fields are {header.First} and {header.Second}; allowed 0");
        HyperLogLog loaded = new(keyId, header.Shape);
        if (header.Flags == DenseFlag)
            loaded.LoadRegisters(header, payload);
        else
            loaded.LoadTokens(header, payload);
        return loaded;
    }

    private void LoadRegisters(in StateHeader header, ReadOnlySpan<byte> registers)
    {
        if (header.Parameter != 0)
            throw new InvalidDataException($"tokens are {header.Parameter}; allowed 0 in a dense state");
        header.RequirePayload(1 << Precision);
        int invalid = registers.IndexOfAnyExceptInRange((byte)0, (byte)MaxRank);
        if (invalid >= 0)
            throw new InvalidDataException($"rank of register {invalid} is {registers[invalid]}; allowed 0 to {MaxRank}");
        BecomeDense();
        registers.CopyTo(Registers);
        ChangeWeight = RegisterKernels.ChangeWeight(registers, Precision);
    }

    private void LoadTokens(in StateHeader header, ReadOnlySpan<byte> payload)
    {
        if (header.Parameter > (ulong)MaxTokens)
            throw new InvalidDataException($"tokens are {header.Parameter}; allowed 0 to {MaxTokens}");
        header.RequirePayload((long)header.Parameter * sizeof(uint));
        uint[] tokens = new uint[header.Parameter];
        StateHeader.ReadWords(payload, tokens);
        for (int i = 0; i < tokens.Length; i++)
        {
            if (!HyperLogLogToken.IsValid(tokens[i]) || (i > 0 && tokens[i] <= tokens[i - 1]))
                throw new InvalidDataException($"token {i} is {tokens[i]:x8}; allowed: ascending, with a rank of 1 to {HyperLogLogToken.MaxRank}");
        }

        _words = tokens;
        _tokenCount = tokens.Length;
    }
}
