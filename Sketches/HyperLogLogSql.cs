using System.Globalization;

namespace Sketch.Sketches;

/// <summary>
/// The same state and estimator inside ClickHouse: a state is a map of register index to rank, which
/// <c>maxMap</c> merges as <see cref="HyperLogLog.Merge"/> does and a lambda function estimates as
/// <see cref="HyperLogLog.Estimate"/> does (states built from registers; the C# side is more exact while it is sparse).
/// ClickHouse's own uniq* states are not written: their layout is private to its versions, and its hash has no key.
/// </summary>
public static class HyperLogLogSql
{
    /// <summary>The column's type: aggregate states of one counter merge in the background and in queries.</summary>
    public const string ColumnType = "SimpleAggregateFunction(maxMap, Tuple(Array(UInt32), Array(UInt8)))";

    /// <summary>The name of the function that <see cref="CreateFunction"/> creates.</summary>
    public const string FunctionName = "sketchDistinct";

    /// <summary>
    /// <c>sketchDistinct(registers, precision)</c>: Ertl's corrected raw estimator over (indexes, ranks). An empty state has no
    /// registers and counts 0. The series sigma is cut after 2^24 terms' worth of doubling: what follows is below the last bit.
    /// </summary>
    public const string CreateFunction =
        "CREATE FUNCTION IF NOT EXISTS " + FunctionName + " AS (registers, precision) -> " +
        "if(empty(registers.1), 0., " +
        "exp2(2 * precision) / (2 * ln(2)) / (" +
        "exp2(precision) * (1 - length(registers.1) / exp2(precision) + arraySum(k -> " +
        "pow(1 - length(registers.1) / exp2(precision), exp2(k)) * exp2(k - 1), range(1, 25)))" +
        " + arraySum(rank -> exp2(-rank), registers.2)))";

    /// <summary>An estimate in a query, for those who may not create functions.</summary>
    /// <param name="registers">An expression of a merged state, for instance <c>maxMap(registers)</c>.</param>
    /// <param name="precision">The states' precision.</param>
    public static string Estimate(string registers, int precision)
    {
        ArgumentException.ThrowIfNullOrEmpty(registers);
        string body = CreateFunction[(CreateFunction.IndexOf("-> ", StringComparison.Ordinal) + 3)..];
        string p = precision.ToString(CultureInfo.InvariantCulture);
        return body.Replace("registers", $"({registers})", StringComparison.Ordinal).Replace("precision", p, StringComparison.Ordinal);
    }

    /// <summary>A state as the column holds it: the registers that are not zero, by index.</summary>
    /// <param name="state">Sparse or dense.</param>
    public static (uint[] Indexes, byte[] Ranks) ToColumn(HyperLogLog state)
    {
        ArgumentNullException.ThrowIfNull(state);
        List<uint> indexes = [];
        List<byte> ranks = [];
        if (state.IsSparse)
        {
            // Tokens are sorted, so equal registers follow each other.
            foreach (uint token in state.Tokens)
            {
                uint index = (uint)HyperLogLogToken.Index(token, state.Precision);
                byte rank = (byte)HyperLogLogToken.Rank(token, state.Precision);
                if (indexes.Count > 0 && indexes[^1] == index)
                {
                    ranks[^1] = Math.Max(ranks[^1], rank);
                }
                else
                {
                    indexes.Add(index);
                    ranks.Add(rank);
                }
            }
        }
        else
        {
            for (int i = 0; i < state.Registers.Length; i++)
            {
                if (state.Registers[i] == 0)
                    continue;
                indexes.Add((uint)i);
                ranks.Add(state.Registers[i]);
            }
        }

        return ([.. indexes], [.. ranks]);
    }

    /// <summary>A state from a column's value.</summary>
    /// <param name="keyId">The id of the key that the elements were hashed with.</param>
    /// <param name="precision">The precision that the column was written with.</param>
    /// <param name="indexes">Register indexes.</param>
    /// <param name="ranks">Their ranks.</param>
    /// <exception cref="InvalidDataException">An index or rank that this precision cannot have, or spans of different lengths.</exception>
    public static HyperLogLog FromColumn(ulong keyId, int precision, ReadOnlySpan<uint> indexes, ReadOnlySpan<byte> ranks)
    {
        if (indexes.Length != ranks.Length)
            throw new InvalidDataException($"{indexes.Length} indexes with {ranks.Length} ranks; allowed: as many of one as of the other");
        HyperLogLog state = new(keyId, precision);
        state.RaiseRegisters(indexes, ranks);
        return state;
    }
}
